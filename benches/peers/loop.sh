# one curl per room, in sequence
set -euo pipefail
while IFS=$'\t' read -r pipe title members; do
  fields=()
  for member in $members; do fields+=(-F "users_ids[]=$member"); done
  answer=$(curl -sS --fail "$IMBACHAT_API_URL/imbachat/v1/widget/imba_rooms" -F "imba_id=$IMBACHAT_WIDGET" -F "login=$IMBACHAT_LOGIN" \
    -F "password=$IMBACHAT_PASSWORD" -F "room_pipe=$pipe" -F "room_title=$title" -F room_type=1 -F room_is_public=0 "${fields[@]}")
  [[ $answer == *'"success":true'* ]]
done <rooms.tsv
