"""The first call: the pair is in JUSTCALL_API_KEY and JUSTCALL_API_SECRET."""

# [snippet]
import justcall_auth

with justcall_auth.Client() as client:
    account = client.verify()
    calls = client.get("/v2.1/calls", params={"per_page": 5}).json()["data"]
print(account.email, len(calls))
# [/snippet]
