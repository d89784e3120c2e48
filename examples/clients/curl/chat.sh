#!/bin/sh
# A streamed chat through the gateway with nothing but curl.
set -eu
base=${WITGATE_BASE_URL:-http://127.0.0.1:3000/v1}
curl --no-buffer --fail-with-body --silent --show-error "$base/chat/completions" \
  --header "Authorization: Bearer $WITGATE_API_KEY" \
  --header "Content-Type: application/json" \
  --data "{\"model\": \"${WITGATE_MODEL:-echo}\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"${1:-Hello!}\"}]}"
