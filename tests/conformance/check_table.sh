#!/bin/sh
# check_table.sh - keeps docs/conformance.md and the tests in step:
#  - each of the items 1 to 200 has exactly one row;
#  - a row names tests that exist, or says in its first word why there is none;
#  - each ITEM of tests/conformance/*.c and tests/panic/*.c stands in the row of its number.
set -u
source=${RUNNEL_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
table=$source/docs/conformance.md
bad=0

complain() {
    echo "$*"
    bad=$((bad + 1))
}

# What follows the second column of the row of item $1.
row_of() {
    awk -F ' *[|] *' -v n="$1" '$2 == n { print $4 }' "$table"
}

item=1
while [ "$item" -le 200 ]; do
    rows=$(awk -F ' *[|] *' -v n="$item" '$2 == n { c++ } END { print c + 0 }' "$table")
    [ "$rows" -eq 1 ] || complain "item $item has $rows rows in docs/conformance.md"
    row=$(row_of "$item")
    case $row in
    later:* | void:* | inside:* | '`'*) ;;
    *) complain "item $item names no test and gives no reason: $row" ;;
    esac
    for ref in $(printf '%s\n' "$row" | grep -o '`[^` ]*\.[a-z]*\(:[0-9]*\)\{0,1\}`' | tr -d '`'); do
        file=$source/${ref%%:*}
        case $ref in
        */*) ;;
        *) file=$source/tests/conformance/${ref%%:*} ;;
        esac
        [ -f "$file" ] || complain "item $item: there is no $file"
        case $ref in
        *:"$item")
            grep -q "^ITEM($item, " "$file" 2>/dev/null || complain "item $item: $ref is not there"
            ;;
        *[!0-9]) ;; # a whole file
        *) complain "item $item: $ref is the test of another item" ;;
        esac
    done
    item=$((item + 1))
done

for file in "$source"/tests/conformance/*.c "$source"/tests/panic/*.c; do
    name=${file#"$source"/}
    name=${name#tests/conformance/}
    for number in $(sed -n 's/^ITEM(\([0-9]*\), .*/\1/p' "$file" | sort -nu); do
        row_of "$number" | grep -q "\`$name:$number\`" ||
            complain "$name has an ITEM($number) that is not in its row of docs/conformance.md"
    done
done

grep -c '^| [0-9]' "$table" | sed 's/$/ rows checked/'
[ "$bad" -eq 0 ]
