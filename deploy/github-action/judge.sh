#!/usr/bin/env bash
# Asks one question about a change of policies; puts the answer into the job's summary, a comment and a file of marks.
# Everything comes by the environment (action.yml), and goes to the program as one word each. What it prints goes to files:
# a line of a log that begins with :: would be a command to the runner.
set -uo pipefail

folder="$RUNNER_TEMP/cilium-triage-answer"
mkdir -p "$folder"
words=(policy "$COMMAND")
forms=(markdown)
after=()
case "$COMMAND" in
  whatif) words+=(--fail-on "$FAIL_ON") ;;
  lint) forms+=(sarif); [[ -z "$POLICIES" ]] || words+=(--policies "$POLICIES") ;;
  check) forms+=(sarif); after=(-- "$CONTRACT") ;;
  *) echo "command has to be whatif, check or lint" >&2; exit 64 ;;
esac
[[ -z "$RANGE" ]] || words+=(--git "$RANGE")
[[ -z "$SYSDUMP" ]] || words+=(--sysdump "$SYSDUMP")
[[ -z "$REPLAY" ]] || words+=(--replay "$REPLAY")
[[ -z "$CASE" ]] || words+=(--case "$CASE")
[[ -z "$CONTEXT" ]] || words+=(--context "$CONTEXT")
[[ -z "$CILIUM_VERSION" ]] || words+=(--cilium-version "$CILIUM_VERSION")

status=0
for form in "${forms[@]}"; do
  "$PROGRAM" "${words[@]}" --output "$form" "${after[@]}" > "$folder/answer.$form" 2> "$folder/said"
  status=$?
done

comment="$folder/comment.md"
{
  echo "<!-- cilium-triage $COMMAND -->"
  if [[ -s "$folder/answer.markdown" ]]; then
    cat "$folder/answer.markdown"
  else
    echo "**It cannot be told.** cilium-triage ended with status $status:"
    echo
    # Indented, it is code, whatever it holds.
    head -c 4000 "$folder/said" | sed 's/^/    /'
  fi
} > "$comment"
cat "$comment" >> "$GITHUB_STEP_SUMMARY"
{
  echo "status=$status"
  echo "comment=$comment"
  if [[ -s "$folder/answer.sarif" ]]; then echo "sarif=$folder/answer.sarif"; fi
} >> "$GITHUB_OUTPUT"

if [[ -n "$NUMBER" ]]; then
  comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
  mine=$(gh api --paginate "$comments" --jq \
    ".[] | select(.user.type == \"Bot\" and (.body | startswith(\"<!-- cilium-triage $COMMAND -->\"))) | .id" | head -n 1)
  if [[ -n "$mine" ]]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$mine" --field "body=@$comment"
  else
    gh api --silent --method POST "$comments" --field "body=@$comment"
  fi || echo "The comment could not be written; the answer is in the job's summary." >&2
fi
exit "$status"
