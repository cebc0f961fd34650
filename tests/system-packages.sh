#!/bin/sh
# Debian packages that the full test run needs: a browser with fonts, Node for the oracles, and a Docker engine with a
# static busybox (no image comes from a registry); docker-compose is what the engine's benchmark is measured by.
set -eu
want=""
command -v chromium >/dev/null 2>&1 || want="$want chromium fonts-dejavu-core fonts-liberation"
command -v node >/dev/null 2>&1 || want="$want nodejs npm"
command -v dockerd >/dev/null 2>&1 || want="$want docker.io"
command -v busybox >/dev/null 2>&1 || want="$want busybox-static"
command -v docker-compose >/dev/null 2>&1 || want="$want docker-compose"
[ -z "$want" ] && exit 0
command -v apt-get >/dev/null 2>&1 || { echo "please install:$want"; exit 2; }
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $want >/dev/null 2>&1 || {
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends $want >/dev/null
}
