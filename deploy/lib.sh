# Shared by the scripts of this folder; sourced, not run.
set -euo pipefail

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=${ACTORD_BIN:-$CHECKOUT/artifacts/bin}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs the whole script as root: containers, mounts and network namespaces need it.
as_root() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null || fail "run this as root (there is no sudo)"
    exec sudo --preserve-env=PATH,DOTNET_ROOT,ACTORD_BIN,CI "$0" "$@"
}

# Installs the Debian packages that are missing, and says which.
need_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "Installing ${missing[*]}"
    # Debian starts what it installs; nothing of it may run by itself on this machine.
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made=1; fi
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
        >/tmp/actord-apt.log 2>&1 || { tail -n 20 /tmp/actord-apt.log >&2; [ -z "$made" ] || rm -f $policy; fail "apt-get could not install ${missing[*]}"; }
    [ -z "$made" ] || rm -f $policy
}

need_dotnet() {
    command -v dotnet >/dev/null && return
    apt-get update -qq && apt-get install -y -qq dotnet-sdk-10.0 >/dev/null 2>&1 ||
        fail "the .NET 10 SDK is missing, and no package source of this machine has dotnet-sdk-10.0"
}

# One compiler process for all projects of a build, and none after it: a compiler started anew for each costs half the time.
compiler=actord-build-$$
build_options=(-v quiet "-p:UseSharedCompilation=true" "-p:SharedCompilationId=$compiler")
end_compiler() { pkill -f "VBCSCompiler.*$compiler" || true; }

build_packages=(clang zlib1g-dev)
run_packages=(runc containernetworking-plugins iptables)
test_packages=(runc crun containernetworking-plugins iptables iproute2 busybox-static docker-registry skopeo umoci containerd
    sqlite3 python3 python3-grpcio attr libcap2-bin zstd)
