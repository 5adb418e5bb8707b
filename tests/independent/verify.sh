#!/usr/bin/env bash
# Checks a .tlog-proof and its entry with openssl, sha256sum and coreutils only.
#
#     verify.sh VKEY PROOF ENTRY
set -euo pipefail
vkey=$1 proof=$2 entry=$3
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() { printf "$(sed 's/../\\x&/g')"; }
hash() { sha256sum | cut -d' ' -f1; }
# Accept canonical base64 only: coreutils ignores surplus bits at the end.
bytes() { test "$(base64 -d <<<"$1" | base64 -w 0)" = "$1" && base64 -d <<<"$1"; }

# The head of the proof ends at the first empty line; the checkpoint's text ends at its last one.
sed '/^$/,$d' "$proof" >"$work/head"
sed '1,/^$/d' "$proof" >"$work/note"
sed '/^$/,$d' "$work/note" >"$work/text"
test "$(head -1 "$work/head")" = c2sp.org/tlog-proof@v1

# The signature: remove the key's algorithm byte and the signature's key id.
name=${vkey%%+*} rest=${vkey#*+}
key_id=${rest%%+*} key=${rest#*+}
test "$(head -1 "$work/text")" = "$name"
(printf '302a300506032b6570032100' | unhex; bytes "$key" | tail -c 32) >"$work/key.der"
signed=$(sed -n "s/^— ${name//\//\\/} //p" "$work/note" | while read -r each; do
    if test "$(bytes "$each" | head -c 4 | hex)" = "$key_id"; then echo "$each"; fi
done)
bytes "$signed" | tail -c 64 >"$work/signature"
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$work/key.der" \
    -in "$work/text" -sigfile "$work/signature" >"$work/said"

# The path from the leaf to the root.
index=$(sed -n 's/^index //p' "$work/head")
last=$(($(sed -n 2p "$work/text") - 1))
test "$index" -le "$last"
node=$( (printf '\0'; cat "$entry") | hash)
while read -r line; do
    test "$last" -gt 0
    sibling=$(bytes "$line" | hex)
    if ((index % 2 == 1 || index == last)); then
        node=$(printf '01%s%s' "$sibling" "$node" | unhex | hash)
        while ((index % 2 == 0 && index > 0)); do index=$((index / 2)) last=$((last / 2)); done
    else
        node=$(printf '01%s%s' "$node" "$sibling" | unhex | hash)
    fi
    index=$((index / 2)) last=$((last / 2))
done < <(sed '1,/^index/d' "$work/head")
test "$last" -eq 0
test "$node" = "$(bytes "$(sed -n 3p "$work/text")" | hex)"
echo verified
