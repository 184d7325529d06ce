# Vault Agent, or the agent of OpenBao, writes the pair into a file, and again after each change of the secret.
# Start the application with JUSTCALL_CREDENTIALS=file:/run/justcall/pair
auto_auth {
  method "token_file" {
    config = {
      token_file_path = "/run/justcall-agent/token"
    }
  }
}

template_config {
  # How often a secret without a lease is read again.
  static_secret_render_interval = "10s"
  exit_on_retry_failure         = true
}

template {
  contents             = "{{ with secret \"secret/data/justcall\" }}{{ .Data.data.api_key }}:{{ .Data.data.api_secret }}{{ end }}\n"
  destination          = "/run/justcall/pair"
  perms                = "0600"
  error_on_missing_key = true
}
