# What librunnel.so exports: rn_ names only, and every function that the public headers declare.
. "$RUNNEL_SOURCE/tests/package/common"
library=$RUNNEL_BUILD/lib/librunnel.so
[ -e "$library" ] || { echo "SKIP: librunnel.so is not part of this build (RUNNEL_SHARED is off)"; exit 77; }
for tool in nm readelf; do
    command -v $tool >/dev/null 2>&1 || { echo "SKIP: no $tool (Debian package: binutils)"; exit 77; }
done

nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >exported
[ -s exported ] || fail "nothing is exported"
grep -v '^rn_' exported && fail "foreign names are exported (above)"
readelf -d "$library" | grep -q 'SONAME.*\[librunnel\.so\.0\]' || fail "SONAME is not librunnel.so.0"

# What is declared, as the compiler sees it after preprocessing: a prototype with default visibility.
echo '#include <runnel.h>' >all.c
for header in "$RUNNEL_SOURCE"/include/runnel/*.h; do
    echo "#include <runnel/$(basename "$header")>" >>all.c
done
$CC -E -P -I"$RUNNEL_SOURCE/include" all.c >all.i 2>log || fail "preprocessing the headers"
tr '\n' ' ' <all.i | tr ';{}' '\n\n\n' | grep 'visibility("default")' |
    sed 's/__attribute__ *((\([^()]*([^()]*)\)*[^()]*))//g' |
    sed -n 's/^[^(]*[^A-Za-z0-9_]\(rn_[A-Za-z0-9_]*\) *(.*/\1/p' | sort -u >declared
[ "$(wc -l <declared)" -ge 20 ] || fail "only $(wc -l <declared) declarations were found"
comm -23 declared exported >missing
[ -s missing ] && { cat missing; fail "declared in a public header, but not in the library (above)"; }
exit 0
