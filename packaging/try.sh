#!/usr/bin/env bash
# Tries the packages in dist/ without Rust: the version, and the plan of the quickstart. Runs as root, after packaging/linux.sh.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$(tr : '\n' <<< "$PATH" | while read -r directory; do [ -e "$directory/cargo" ] || printf '%s:' "$directory"; done)
if command -v cargo; then exit 1; fi

# Arguments: a package, and the command that runs roomform. Its manifest is in ./rooms.
try() {
  local package=$1 started=$EPOCHREALTIME
  shift
  [ "$("$@" --version)" = "roomform $version" ]
  "$@" plan --file rooms/rooms.yaml --sandbox=rooms/sandbox.json > "$work/plan"
  grep -q '^plan: [1-9]' "$work/plan" || { cat "$work/plan"; exit 1; }
  awk -v name="${package##*/}" -v size="$(stat -c %s "$package")" -v since="$started" -v now="$EPOCHREALTIME" \
    'BEGIN { printf "%-60s %5.1f MB, version and plan in %.2f s\n", name, size / 1e6, now - since }'
}

(cd dist && sha256sum --check --quiet SHA256SUMS)
cp -r examples/quickstart "$work/rooms"
wheel=$(echo "$PWD"/dist/roomform-"$version"-*.whl)
tarball=$(echo "$PWD"/dist/roomform-"$version"-*.tar.gz)
deb=$(echo "$PWD"/dist/roomform_"$version"-*.deb)
image=$(echo "$PWD"/dist/roomform-"$version"-*-image.tar)
cd "$work"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-index "$wheel"
try "$wheel" venv/bin/roomform

mkdir tarball
tar -C tarball --strip-components 1 -xzf "$tarball"
try "$tarball" tarball/roomform
[ -s tarball/completions/roomform.zsh ] && [ -s tarball/man/roomform-plan.1 ] && [ -s tarball/LICENSE-MIT ]
cmp tarball/roomform venv/bin/roomform

dpkg-deb --extract "$deb" deb
try "$deb" deb/usr/bin/roomform
[ -s deb/usr/share/man/man1/roomform-plan.1.gz ] && [ -s deb/usr/share/bash-completion/completions/roomform ]

store=(--storage-driver vfs --root "$work/containers" --runroot "$work/run")
container=$(buildah "${store[@]}" from --quiet "docker-archive:$image")
root=$(buildah "${store[@]}" mount "$container")
[ "$(buildah "${store[@]}" inspect --format '{{.OCIv1.Config.User}}' "$container")" = 65532:65532 ]
# What an engine adds: the network's files, and a directory that the user of the image may write to. The rest belongs to root.
cp /etc/hosts /etc/resolv.conf "$root/etc/"
cp -r rooms "$root/rooms"
chown -R 65532:65532 "$root/rooms"
inside=(env --ignore-environment "PATH=$PATH" IMBACHAT_SECRET_KEY=k chroot --userspec=65532:65532 "$root" /usr/bin/roomform)
try "$image" "${inside[@]}"
# The image can look up names and has certificates: the only error is that nothing listens on the port.
"${inside[@]}" get rooms --widget 627 --api-url https://localhost:9 2> refused && exit 1
grep -q 'Connection refused' refused || { cat refused; exit 1; }
