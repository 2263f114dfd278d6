# Arguments: the number of a pull request, the kind of the comment, and the file with its text. The comment is edited in place.
comment() {
  comments="repos/$GITHUB_REPOSITORY/issues/$1/comments"
  id=$(KIND=$2 gh api --paginate "$comments" --jq '.[] | select(.user.type == "Bot" and (.body | startswith("<!-- roomform:" + env.KIND))) | .id' | sed -n 1p)
  if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$3"
  else
    gh api --silent --method POST "$comments" --field "body=@$3"
  fi
}
