mkdir -p .roomform
status=0
git ls-remote --exit-code --quiet origin refs/heads/roomform-ledger > /dev/null || status=$?
case "$status" in
  0)
    git fetch --quiet --depth 1 origin roomform-ledger
    git archive FETCH_HEAD | tar -x -C .roomform
    ;;
  2) echo "there is no ledger yet" ;;
  *) exit "$status" ;;
esac
