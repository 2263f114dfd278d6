#!/usr/bin/env bash
# Builds the wheel and the tarball of one target into dist/, both with the same binary.
# Arguments: the target, the cargo profile, and more flags for maturin, which must be on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1
profile=$2
shift 2
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
name=roomform-$version-$target
stage=target/packaging/$name
suffix=
[[ $target != *windows* ]] || suffix=.exe

maturin build --quiet --target "$target" --profile "$profile" --out dist "$@"

rm -rf "$stage"
mkdir -p "$stage/completions"
cp "${CARGO_TARGET_DIR:-target}/$target/$profile/roomform$suffix" README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$stage"
for shell in bash zsh fish powershell; do
  "$stage/roomform$suffix" completions "$shell" > "$stage/completions/roomform.$shell"
done
"$stage/roomform$suffix" --quiet man "$stage/man"
tar -C target/packaging -czf "dist/$name.tar.gz" "$name"
