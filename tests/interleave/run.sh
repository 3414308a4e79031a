#!/bin/sh
# Explores every interleaving of small cases of the library's own C code (see README.md), and then makes
# sure that the explorer would notice: sources with one rule broken must be rejected.
#   run.sh            everything that takes less than a minute
#   run.sh full       all mixes of three goroutines: half an hour and more
#   run.sh NAME...    only the cases and broken rules whose names contain one of the words
# CC=... another compiler. Exit status: 0 all passed, 1 not, 77 not for this machine.
# runnel-test: timeout=600 not=address not=thread
here=$(cd "$(dirname "$0")" && pwd) || exit 2
top=$(cd "$here/../.." && pwd) || exit 2
: "${CC:=cc}"
command -v "$CC" >/dev/null 2>&1 || { echo "SKIP: needs a C compiler (Debian package: gcc)"; exit 77; }
cpu=$(uname -m)
[ -f "$top/src/platform/switch_$cpu.S" ] || { echo "SKIP: no context switch for $cpu"; exit 77; }
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# make.c is left out: the cases make their channels themselves, so that they can be freed for good
tested="sync/mutex sync/turn sync/waiters sync/self sync/rwmutex sync/cond sync/waitgroup sync/once sched/solo
        $(cd "$top/src" && printf '%s\n' chan/*.c | sed '/^chan\/make\.c$/d; s/\.c$//')"
flags="-std=gnu11 -O1 -g -w -fno-stack-protector"
fake="-I$here/fake -I$top/include -DRN__VALGRIND=0 -Dmalloc=il_malloc -Dcalloc=il_calloc
      -Dfree=il_free -Daligned_alloc=il_aligned_alloc -Dsyscall=il_syscall"

# compile OUT SOURCE [FLAGS]
compile() {
    out=$1 source=$2
    shift 2
    # shellcheck disable=SC2086 # flags are words
    "$CC" $flags "$@" -c -o "$out" "$source" || { echo "FAIL  does not compile: $source"; exit 1; }
}

# shellcheck disable=SC2086
prepare() {
    mkdir -p "$tmp/src"
    cp -R "$top/src/." "$tmp/src/" || exit 2
    for f in engine main; do
        compile "$tmp/$f.o" "$here/$f.c" "-I$top/include"
    done
    compile "$tmp/switch.o" "$top/src/platform/switch_$cpu.S"
    for f in world $(cd "$here" && ls ./*_cases.c); do
        f=$(basename "$f" .c)
        compile "$tmp/$f.o" "$here/$f.c" $fake
    done
    for f in $tested; do
        compile "$tmp/$(basename "$f").o" "$top/src/$f.c" $fake
    done
    "$CC" -o "$tmp/explore" "$tmp"/*.o || exit 1
}

# broken NAME FILE SED-SCRIPT CASE WHAT: with src/FILE edited, CASE must be rejected.
# shellcheck disable=SC2086
broken() {
    name=$1 file=$2 script=$3 case=$4 what=$5
    if [ -n "$words" ]; then
        hit=0
        for word in $words; do
            case $name in *"$word"*) hit=1 ;; esac
        done
        [ $hit = 1 ] || return 0
    fi
    ran=1
    sed -e "$script" "$top/src/$file" >"$tmp/src/$file"
    if cmp -s "$top/src/$file" "$tmp/src/$file"; then
        echo "FAIL  $name: the rule to break is not found in src/$file"
        bad=1
        return
    fi
    # a header concerns every source that is tested
    case $file in *.h) sources=$tested ;; *) sources=${file%.c} ;; esac
    mkdir -p "$tmp/keep"
    for f in $sources; do
        object=$(basename "$f").o
        mv "$tmp/$object" "$tmp/keep/$object"
        compile "$tmp/$object" "$tmp/src/$f.c" $fake
    done
    "$CC" -o "$tmp/explore-broken" "$tmp"/*.o || exit 1
    mv "$tmp"/keep/*.o "$tmp/"
    cp "$top/src/$file" "$tmp/src/$file"
    if "$tmp/explore-broken" "=$case" >"$tmp/log" 2>&1; then
        echo "FAIL  $name: not noticed by $case: $what"
        bad=1
    elif grep -q '^FAIL .*not finished\|^no such case' "$tmp/log" || ! grep -q '^FAIL' "$tmp/log"; then
        echo "FAIL  $name: no verdict"
        tail -n 5 "$tmp/log"
        bad=1
    else
        printf 'ok    broken %-17s %s\n        rejected: %s\n' "$name" "$what" \
            "$(sed -n '/^FAIL/{s/^FAIL *//;s/  */ /g;s, /[^ ]*/, ,g;p;q;}' "$tmp/log")"
    fi
}

words=$* bad=0 ran=0
prepare
# shellcheck disable=SC2086
if ! "$tmp/explore" $words >"$tmp/log"; then
    # the words may name broken rules only
    if [ -z "$words" ] || ! grep -q '^no such case' "$tmp/log"; then
        bad=1
    fi
fi
grep -v '^no such case' "$tmp/log" && ran=1

broken mutex-lost-woken sync/turn.c 's/n &= ~(WOKEN | BARGE_MASK);/(void)0;/' mutex \
    "the woken waiter does not give WOKEN back: nobody is woken any more"
broken mutex-late-look sync/mutex.c \
    's/rn__waiter_ready(next);/&\n    if (atomic_load_explicit(word_of(m), memory_order_relaxed) == QUEUE) return;/' mutex \
    "unlock looks at the mutex again after it has let somebody in"
broken mutex-no-queue-bit sync/turn.c 's/word, &s, s | QUEUE, /word, \&s, s, /' mutex \
    "the queue is changed without its lock bit"
broken mutex-handover sync/turn.c 's/rn__waiter_tell(next, HANDED_OVER);/rn__waiter_tell(next, COMPETE);/' mutex-starving \
    "the mutex is handed over and nobody is told"
broken turn-no-withdraw sync/waiters.h \
    '/^static inline bool rn__waiters_withdraw/,/^}/s/rn__waiters_unlink(head, &g->sudog);/(void)head;/' full-mutex-until \
    "a waiter that gives up stays queued"
broken turn-no-token sync/waiters.h 's/if (!rn__token_take(w->g, w->gen))/if (0)/' mutex-until-two \
    "a lock is given to one that has given up"
broken rw-no-drain sync/rwmutex.c 's/err = drain(rw, b, site);/(void)drain;/' rw-wrr \
    "a writer does not wait for the readers inside"
broken rw-forgotten-readers sync/rwmutex.c 's/s = (s \& ~(uint64_t)READERS) + n \* ONE_READER;/s = s \& ~(uint64_t)READERS;/' rw-wrr \
    "readers that are let in are not counted"
broken rw-late-ready sync/rwmutex.c 's/    rn__waiters_ready_all(readers);/&\n    (void)atomic_load(word_of(rw));/' rw-wwr \
    "the rwmutex is touched after others have been let in"
broken cond-no-signal sync/cond.c '/^void rn_cond_signal_at/,/^}/s/== 0)/!= 1)/' cond \
    "a signal is not given to one that waits"
broken wg-retract sync/waitgroup.c 's/while (s >> 32 != 0 \&\& counted)/while (counted)/' wg-until \
    "a waiter gives up although the add that reached zero counts on it"
broken wg-late-reset sync/waitgroup.c \
    '/atomic_store_explicit(queue_of(wg), last/d; s/rn__waiters_ready_all(all);/&\n    drop_queue(wg, NULL);/' wg \
    "the group is touched after its waiters have been released"
broken wg-uncounted sync/waitgroup.c 's/&s, s + 1)/\&s, s)/' wg \
    "a waiter does not count itself"
broken wg-early-count sync/waitgroup.c \
    's/rn__sudog \*first = hold_queue(wg);$/rn__sudog *first = (void *)(uintptr_t)atomic_load_explicit(queue_of(wg), memory_order_acquire);/' wg \
    "the queue is taken without its lock bit"
broken once-held sync/once.c '/static void finish/,/^}/s/if (s & HELD)/if (0)/' once \
    "the end of a once does not respect the queue's lock"
broken once-no-wait sync/once.c 's/rn__park_locked(g, word_of(once),.*$/drop(once, first);/; s/^static void finish/static void drop(rn_once *o, rn__sudog *f) { (void)f; atomic_store_explicit(word_of(o), RUNNING, memory_order_release); }\n&/' once \
    "a second caller does not wait"
broken once-late-store sync/once.c 's/rn__waiters_ready_circle(first);/rn__waiters_ready_circle(first), atomic_store(word_of(once), DONE);/' once-early \
    "the once is touched after its waiters have been released"
broken chan-early-unlink chan/hchan.h \
    's/if (!w->is_select || rn__token_take/atomic_store_explicit(\&w->linked, 0, memory_order_release);\n        &/' \
    mix-3-cap00 "a waiter is given up before its token is tried"
broken chan-early-ready chan/send.c \
    's/rn__chan_publish(c, s);/rn__partner_ready(partner); partner.g = NULL; &/' chan-free \
    "the partner is readied before the channel is released"
broken chan-no-token chan/hchan.h 's/|| rn__token_take(w->g, w->gen))/|| 1)/' mix-3-cap00 \
    "a select is served without its token"
broken chan-unlocked chan/wait.c 's/if (!(s & RN__CH_LOCK) &&/if (s |= RN__CH_LOCK, s ^= RN__CH_LOCK,/' mix-2-cap00 \
    "the channel is taken although it is locked"
broken select-no-recheck chan/select_block.c 's/int done = commit_locked(.*;/int done = -1;/' mix-2-cap00 \
    "a select blocks without asking again under the locks"
broken select-one-look chan/select.c 's/if (versions(&sel) == seen)/(void)versions, (void)seen;/' chan-token \
    "default is taken after one look"
broken select-no-withdraw chan/select_block.c 's/withdraw(sel, waiters, m);/(void)withdraw;/' mix-2-cap00 \
    "the cases that lost stay queued"
broken select-lock-order chan/select_block.c 's/sel->cases\[order\[j - 1\]\].c > sel->cases\[x\].c/0/' select-cross \
    "channels are locked in the order of the cases"
broken select-old-timer sched/sched.h 's/t = ((t >> 2) + 1) << 2/t = (t >> 2) << 2/' select-again \
    "the token's generation does not change"
broken try-no-fence chan/wait.c 's/atomic_thread_fence(memory_order_seq_cst);/(void)0;/' chan-litmus-try \
    "no fence before the unlocked answer"
broken select-no-fence chan/wait.c 's/atomic_thread_fence(memory_order_seq_cst);/(void)0;/' chan-litmus-select \
    "no fence before the unlocked look of a select with default"
broken solo-no-barrier sched/solo.c 's/^    membarrier(PRIVATE_EXPEDITED);/    (void)0;/' solo-mutex \
    "solo mode ends without the barrier"
broken solo-stranger sync/turn.c 's|rn__g \*g = rn__current(); /\* first|rn__g *g = NULL; /*|' solo-mutex-try \
    "a thread that is not registered writes to a mutex"
broken solo-no-wait sched/solo.c 's/memory_order_acquire) != 0; round++)/memory_order_acquire) > 1; round++)/' solo-mutex \
    "solo mode ends without waiting for the window"
[ $ran = 1 ] || { echo "no case of that name"; exit 2; }
exit $bad
