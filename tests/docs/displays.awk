# displays.awk - takes the marked literal displays out of a manual page; the same interface as blocks.awk.
/^\.\\" docs: / {
    mark = $0
    sub(/^\.\\" docs: /, "", mark)
    next
}
/^\.Bd -literal/ {
    if (mark == "") {
        print FILENAME ":" NR ": a display without a mark" >"/dev/stderr"
        exit 1
    }
    file = out "/" ++n ".c"
    printf "" >file
    print n, "c", NR, mark == "program" ? "" : mark
    inside = 1
    mark = ""
    next
}
/^\.Ed/ {
    inside = 0
    close(file)
    next
}
inside {
    gsub(/\\e/, "\\")
    gsub(/\\&/, "")
    print >file
}
