# blocks.awk - takes the fenced blocks out of a Markdown file.
#
#   awk -f blocks.awk -v out=DIR FILE     writes DIR/N.LANGUAGE and a line "N LANGUAGE LINE MARK..." for each
#
# A comment  <!-- docs: MARK... -->  on the line before a fence is the block's mark; blocks.sh says which
# marks there are.
/^```/ {
    if (inside) {
        close(file)
        inside = 0
        next
    }
    language = substr($0, 4)
    sub(/[ \t].*/, "", language)
    if (language == "")
        language = "none"
    file = out "/" ++n "." language
    printf "" >file
    print n, language, NR, mark
    inside = 1
    mark = ""
    next
}
inside {
    print >file
    next
}
{
    mark = ""
    if ($0 ~ /^<!-- docs: .* -->$/) {
        mark = $0
        sub(/^<!-- docs: /, "", mark)
        sub(/ -->$/, "", mark)
    }
}
END {
    if (inside) {
        print FILENAME ": the last block does not end" >"/dev/stderr"
        exit 1
    }
}
