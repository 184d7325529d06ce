# Runs in a clean Debian, with dist/ in /packages and the examples in /examples. Prints a word for each use that works.
# Fails if the command succeeds: the shell does not stop at a failed `!`.
refuse() { if "$@"; then echo "succeeded: $*" >&2; exit 1; fi; }

refuse command -v cargo
refuse command -v rustc

cd /packages
sha256sum --check --strict --quiet SHA256SUMS
echo hashes

# What a run left that failed in this root.
dpkg --purge justcall-auth justcall-auth-sandbox libjustcall-auth-dev libjustcall-auth0 >/dev/null 2>&1
files() { find /usr /etc /var/lib/dpkg/info \( -type f -o -type l \) ! -name '*.cache' ! -name '*-old' | sort; }
files >/tmp/before
dpkg --install ./*.deb >/dev/null

# A line of an earlier run in this root must not be read.
rm -f /tmp/line
justcall-auth-sandbox >/tmp/line &
sandbox=$!
while ! grep -qs '}$' /tmp/line; do sleep 0.1; done
member() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" /tmp/line; }
export JUSTCALL_API_KEY=$(member api_key) JUSTCALL_API_SECRET=$(member api_secret)
url=$(member url) authority=$(member ca_file)
justcall-auth verify --base-url "$url" --ca-file "$authority" | grep -q admin@yourcompany.com
echo command

# The program must verify the pair, and fail for another one.
check() {
    "$1" default: "$url" "$authority" | grep -q 'account: 12345'
    refuse env JUSTCALL_API_SECRET=0000000000000000000000000000000000000000 "$1" default: "$url" "$authority" 2>/dev/null
}
cd /examples/c
cc verify.c -o /tmp/verify $(pkg-config --cflags --libs justcall_auth)
check /tmp/verify
echo dynamic
cc -static verify.c -o /tmp/verify $(pkg-config --static --cflags --libs justcall_auth) 2>/dev/null
check /tmp/verify
echo static
make --silent MODULE=justcall_auth-static verify
check ./verify
ldd ./verify >/tmp/libraries
refuse grep justcall /tmp/libraries
echo embedded
cd /examples/cpp
make --silent verify
check ./verify
ldd ./verify | grep -q libjustcall_auth.so.0
echo c++

dpkg --purge justcall-auth justcall-auth-sandbox libjustcall-auth-dev libjustcall-auth0 >/dev/null
files >/tmp/after
diff /tmp/before /tmp/after
refuse command -v justcall-auth
echo purged

# The archive works from any folder.
cd /packages
tar --extract --file justcall-auth-*-linux-gnu.tar.xz
export PKG_CONFIG_PATH=$(echo /packages/justcall-auth-*/lib/pkgconfig)
cc /examples/c/verify.c -o /tmp/verify $(pkg-config --cflags --libs justcall_auth)
LD_LIBRARY_PATH=$(echo /packages/justcall-auth-*/lib) check /tmp/verify
echo archive

# The wheel, with the Python of this Debian.
python3 -m venv /tmp/venv
/tmp/venv/bin/pip install --quiet --no-index /packages/*.whl
/tmp/venv/bin/python -c 'import justcall_auth, sys
print(justcall_auth.Client(base_url=sys.argv[1], ca_file=sys.argv[2]).verify().email)' "$url" "$authority" |
    grep -q admin@yourcompany.com
/tmp/venv/bin/python -m justcall_auth verify --base-url "$url" --ca-file "$authority" | grep -q admin@yourcompany.com
echo wheel
kill $sandbox
