#!/usr/bin/env bash
# `cargo install` as far as the jobs use it: the program it puts down notes its revision below $STORE when it is run.
set -euo pipefail
[ "$1" = install ] || { echo "cargo: not known here: $*" >&2; exit 64; }
root="$HOME/.cargo" rev=""
while [ $# -gt 0 ]; do
  case "$1" in
    --root) root=$2 ;;
    --rev) rev=$2 ;;
  esac
  shift
done
[ ! -e "$root/bin/roomform" ] || { echo "error: binary \`roomform\` already exists in destination" >&2; exit 101; }
echo "$rev" >> "$STORE/installed"
mkdir -p "$root/bin"
printf '#!/usr/bin/env bash\necho "%s" >> "$STORE/ran"\nexec "%s" "$@"\n' "$rev" "$ROOMFORM_PROGRAM" > "$root/bin/roomform"
chmod +x "$root/bin/roomform"
