# twins.sh - README.md and README.zh-CN.md say the same: headings, blocks, table rows and list items agree in
# number and order, and so do the links, and C blocks letter for letter.
set -u
work=$(mktemp -d) || exit 1
trap 'cd / && rm -rf "$work"' EXIT
cd "$RUNNEL_SOURCE" || exit 1

# One line for each thing that both languages must have; links to each other left out.
shape() {
    awk '/^```/ { inside = !inside; if (inside) print "block " substr($0, 4); c = $0 == "```c"; next }
         inside { if (c) print "    " $0; next }
         /^#+ / { print "heading " $1; next }
         /^<!-- docs/ { print }
         /^\|/ { print "row of " gsub(/\|/, "|") - 1 }
         /^\* / { print "item" }
         {
             line = $0
             while (match(line, /\]\([^)]*\)/)) {
                 link = substr(line, RSTART, RLENGTH)
                 line = substr(line, RSTART + RLENGTH)
                 if (link !~ /README(\.zh-CN)?\.md\)/ || link ~ /\//)
                     print "link " link
             }
         }' "$1"
}

shape README.md >"$work/en"
shape README.zh-CN.md >"$work/zh"
[ "$(wc -l <"$work/en")" -ge 60 ] || { echo "README.md has almost nothing in it"; exit 1; }
diff "$work/en" "$work/zh" || { echo "README.md (<) and README.zh-CN.md (>) differ in shape"; exit 1; }
echo "$(wc -l <"$work/en") headings, rows, items, links and lines of code agree"
