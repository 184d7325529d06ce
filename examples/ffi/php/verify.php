<?php

// Verifies a pair, then sends GET for each path on standard input: php -d ffi.enable=1 verify.php [BASE_URL]

declare(strict_types=1);

$path = getenv('JUSTCALL_LIBRARY') ?: 'libjustcall_auth.so';
$abi = FFI::cdef('uint32_t justcall_abi_version(void);', $path)->justcall_abi_version();
if ($abi !== 1) {
    throw new RuntimeException("This program needs ABI 1 of libjustcall_auth, not $abi.");
}
// [snippet header]
// FFI has no preprocessor: remove what the header has for it.
$directives = ['/^#ifdef __cplusplus.*?^#endif/ms', '/^#.*$/m', '/JUSTCALL_NODISCARD/'];
$header = file_get_contents(__DIR__ . '/../../../include/justcall_auth.h');
$library = FFI::cdef(preg_replace($directives, '', $header), $path);
// [/snippet header]

// [snippet call]
// Calls a function that can fail. Throws its error.
$call = function (string $name, mixed ...$arguments) use ($library): void {
    $error = $library->new('justcall_error *');
    $arguments[] = FFI::addr($error);
    if ($library->$name(...$arguments) !== 0) {
        $message = "{$library->justcall_error_name($error)}: {$library->justcall_error_hint($error)}";
        $library->justcall_error_free($error);
        throw new RuntimeException($message);
    }
};
// [/snippet call]

$config = $library->justcall_config_new();
[$client, $account] = [$library->new('justcall_client *'), $library->new('justcall_account *')];
try {
    if (isset($argv[1])) {
        $call('justcall_config_set_base_url', $config, $argv[1]);
    }
    $call('justcall_client_new', $config, FFI::addr($client));
    $call('justcall_client_verify', $client, FFI::addr($account));
    echo 'verified ', $library->justcall_account_email($account), "\n";
    while (($line = fgets(STDIN)) !== false) {
        $response = $library->new('justcall_response *');
        try {
            $call('justcall_client_request', $client, 'GET', rtrim($line), null, 0, FFI::addr($response));
            echo $library->justcall_response_http_status($response), "\n";
        } catch (RuntimeException $failure) {
            echo "{$failure->getMessage()}\n";
        }
        $library->justcall_response_free($response);
    }
} finally {
    $library->justcall_account_free($account);
    $library->justcall_client_free($client);
    $library->justcall_config_free($config);
}
