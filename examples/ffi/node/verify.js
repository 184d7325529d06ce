// Verifies a pair, then sends GET for each path on standard input: node verify.js [BASE_URL]
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import koffi from "koffi";

const library = koffi.load(process.env.JUSTCALL_LIBRARY ?? "libjustcall_auth.so");
const declare = (name, result, ...types) => library.func(`justcall_${name}`, result, types);
const abi = declare("abi_version", "uint32_t")();
if (abi !== 1) throw new Error(`This program needs ABI 1 of libjustcall_auth, not ${abi}.`);
for (const type of ["config", "client", "account", "response", "error", "event"])
  koffi.opaque(type);
const text = (name, type) => declare(`${type}_${name}`, "str", `const ${type} *`);
const free = (type, handle) => declare(`${type}_free`, "void", `${type} *`)(handle);

// [snippet call]
const [errorName, errorHint] = [text("name", "error"), text("hint", "error")];

/** Declares a function that can fail. It runs on another thread: the event loop continues. */
function fallible(name, ...types) {
  const call = promisify(declare(name, "int32_t", ...types, "_Out_ error **").async);
  return async (...values) => {
    const error = [null];
    if ((await call(...values, error)) === 0) return;
    const message = `${errorName(error[0])}: ${errorHint(error[0])}`;
    free("error", error[0]);
    throw new Error(message);
  };
}
// [/snippet call]

const setBaseUrl = fallible("config_set_base_url", "config *", "str");
const clientNew = fallible("client_new", "const config *", "_Out_ client **");
const verify = fallible("client_verify", "const client *", "_Out_ account **");
const requestTypes = ["const client *", "str", "str", "void *", "size_t", "_Out_ response **"];
const request = fallible("client_request", ...requestTypes);
const httpStatus = declare("response_http_status", "int32_t", "const response *");

const config = declare("config_new", "config *")();
const [client, account] = [[null], [null]];
try {
  if (process.argv[2]) await setBaseUrl(config, process.argv[2]);
  await clientNew(config, client);
  await verify(client[0], account);
  console.log(`verified ${text("email", "account")(account[0])}`);
  for await (const path of createInterface({ input: process.stdin })) {
    const response = [null];
    try {
      await request(client[0], "GET", path, null, 0, response);
      console.log(httpStatus(response[0]));
    } catch (failure) {
      console.log(failure.message);
    }
    free("response", response[0]);
  }
} finally {
  free("account", account[0]);
  free("client", client[0]);
  free("config", config);
}
