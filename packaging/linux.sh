#!/usr/bin/env bash
# Builds the Debian package and the container image of this machine's architecture from the files that packaging/build.sh prepared.
# Runs as root on Debian or Ubuntu.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
architecture=$(uname -m)
stage=target/packaging/roomform-$version-$architecture-unknown-linux-gnu
store=(--storage-driver vfs --root "$PWD/target/packaging/containers" --runroot "$PWD/target/packaging/run")
if ! command -v buildah >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends buildah ca-certificates
fi
cargo deb --version >/dev/null 2>&1 || cargo install cargo-deb --version 3.8.0 --locked --quiet --debug

deb=target/packaging/deb # see Cargo.toml
rm -rf "$deb"
cp -r "$stage" "$deb"
gzip -9n "$deb"/man/*
cargo deb --quiet --no-build --no-strip --output dist/

# The image has the binary, the C libraries it needs, and the certificates of this machine. It is built without a container engine.
root=target/packaging/root
rm -rf "$root" target/packaging/containers
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/work"
cp "$stage/roomform" "$root/usr/bin/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
ldd "$stage/roomform" | grep -o '/[^ ]*' | xargs -I {} cp --parents --dereference {} "$root"
image=dist/roomform-$version-$architecture-image.tar
rm -f "$image"
buildah "${store[@]}" build --quiet --isolation chroot --file packaging/Containerfile --tag roomform target/packaging >/dev/null
buildah "${store[@]}" push --quiet roomform "docker-archive:$image:roomform:$version"

(cd dist && sha256sum -- roomform* > SHA256SUMS)
