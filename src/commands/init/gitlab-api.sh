api="$CI_API_V4_URL/projects/$CI_PROJECT_ID"
ask() { curl --fail --silent --show-error --header "PRIVATE-TOKEN: $ROOMFORM_TOKEN" "$@"; }
