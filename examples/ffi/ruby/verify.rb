# frozen_string_literal: true

# Verifies a pair, then sends GET for each path on standard input: ruby verify.rb [BASE_URL]
require 'fiddle/import'

# The functions of justcall_auth.h that this program uses.
module JustCall
  extend Fiddle::Importer
  dlload ENV.fetch('JUSTCALL_LIBRARY', 'libjustcall_auth.so')
  extern 'unsigned int justcall_abi_version()'
  justcall_abi_version == 1 || raise("This program needs ABI 1 of libjustcall_auth, not #{justcall_abi_version}.")
  extern 'void *justcall_config_new()'
  extern 'int justcall_config_set_base_url(void *, char *, void *)'
  %w[new verify].each { |name| extern "int justcall_client_#{name}(void *, void *, void *)" }
  extern 'int justcall_client_request(void *, char *, char *, void *, size_t, void *, void *)'
  extern 'int justcall_response_http_status(void *)'
  %w[account_email error_name error_hint].each { |name| extern "char *justcall_#{name}(void *)" }
  %w[config client account response error].each { |name| extern "void justcall_#{name}_free(void *)" }

  # [snippet call]
  # Calls a function that can fail. Raises its error.
  def self.call(name, *arguments)
    error = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
    return if send("justcall_#{name}", *arguments, error).zero?

    message = "#{justcall_error_name(error.ptr)}: #{justcall_error_hint(error.ptr)}"
    justcall_error_free(error.ptr)
    raise message
  end

  # Calls a function that creates a handle. Frees the handle after the block.
  def self.with(type, name, *arguments)
    out = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
    call(name, *arguments, out)
    yield out.ptr
  ensure
    send("justcall_#{type}_free", out.ptr)
  end
  # [/snippet call]
end

$stdout.sync = true
config = JustCall.justcall_config_new
begin
  JustCall.call('config_set_base_url', config, ARGV[0]) if ARGV[0]
  JustCall.with('client', 'client_new', config) do |client|
    JustCall.with('account', 'client_verify', client) do |account|
      puts "verified #{JustCall.justcall_account_email(account)}"
    end
    $stdin.each_line(chomp: true) do |path|
      JustCall.with('response', 'client_request', client, 'GET', path, nil, 0) do |response|
        puts JustCall.justcall_response_http_status(response)
      end
    rescue RuntimeError => e
      puts e.message
    end
  end
ensure
  JustCall.justcall_config_free(config)
end
