# Arguments: a directory for the results, and what to apply.
apply() {
  status=0
  roomform apply "${@:2}" --file "$MANIFEST" --ledger "$ROOMFORM_LEDGER" --report "$1/report.json" --failed "$1/failed.csv" --format markdown --fit @FIT@ > "$1/page.md" || status=$?
  cat "$1/page.md" >> "$summary"
  # Exit codes 4 (partly applied) and 5 (refused) leave changes, which the plan below shows.
  case "$status" in 0 | 4 | 5) ;; *) exit "$status" ;; esac
}
for plan in plans/*/plan.json; do
  [ ! -e "$plan" ] || apply "${plan%/*}" "$plan" --apply-fresh
done
if [ "$TASK" = apply ]; then
  mkdir -p manual
  apply manual --yes
fi
left=0
roomform plan --file "$MANIFEST" --ledger "$ROOMFORM_LEDGER" --detailed-exitcode --format markdown --fit @FIT@ > left.md || left=$?
if [ "$left" != 0 ]; then
  cat left.md >> "$summary"
  echo "not everything is applied: read the last plan; to apply all of it, start @MANUAL@ manually on the default branch" >&2
fi
if [ "$TASK" = done ]; then
  read -ra users <<< "$USERS"
  roomform todo done --file "$MANIFEST" --ledger "$ROOMFORM_LEDGER" -- "$PIPE" "${users[@]}" || left=$?
fi
exit "$left"
