#!/bin/sh
# Searches the models of this folder with Spin.
#   run.sh            the quick set: under 4 minutes on 2 cores, at most 4 GB a run
#   run.sh --full     all sizes: about half an hour, at most 14 GB a run
#   run.sh NAME...    only the runs whose name contains one of the words, whatever their set
# A run passes when a sound protocol was searched completely without an error, or when a variant
# that is wrong on purpose was rejected. Exit status: 0 all passed, 1 not, 77 a tool is missing.
# JOBS=n runs n at a time (2), CC=... another compiler.
# runnel-test: timeout=900 serial
here=$(cd "$(dirname "$0")" && pwd) || exit 2
: "${CC:=cc}" "${JOBS:=2}"
for tool in spin "$CC"; do
    command -v "$tool" >/dev/null 2>&1 && continue
    echo "SKIP: needs $tool (Debian packages: spin, gcc)"
    exit 77
done

# The runs: KIND NAME MODEL MACROS -- WHAT.
#   ok   must be clean            bug  must be rejected
#   OK   the same, only --full    BUG  the same, only --full
table() {
    cat <<'END'
ok  select-2        chansel  -DNG=2 -DM_CLOSE=1 -DM_SELD=1 -DM_SELT=1 -DCAPA=1 -- 2 goroutines, every mix of operations, capacities 1 and 0
ok  select-2-00     chansel  -DNG=2 -DM_CLOSE=1 -DM_SELD=1 -DM_SELT=1 -- the same, both channels unbuffered
ok  select-3-two    chansel  -DNG=3 -DTWOSEL -- two selects and a plain operation on two unbuffered channels
ok  select-3-two-10 chansel  -DNG=3 -DTWOSEL -DCAPA=1 -- the same, capacities 1 and 0: hand-off through a full buffer
ok  select-2-k3     chansel  -DNG=2 -DNC=3 -DK=3 -- two selects of three cases over three channels
OK  select-3-00     chansel  -DNG=3 -- 3 goroutines, all mixes, unbuffered
OK  select-3-10     chansel  -DNG=3 -DCAPA=1 -- capacities 1 and 0
OK  select-3-21     chansel  -DNG=3 -DCAPA=2 -DCAPB=1 -- capacities 2 and 1
OK  select-3-close  chansel  -DNG=3 -DM_CLOSE=1 -- with close
OK  select-3-deflt  chansel  -DNG=3 -DM_SELD=1 -DM_SEL=0 -DCAPA=1 -DCAPB=1 -- with default
OK  select-2-twice  chansel  -DNG=2 -DR=2 -- two operations each: order of elements, reuse of token and waiters
OK  select-2-k3-cl  chansel  -DNG=2 -DNC=3 -DK=3 -DM_CLOSE=1 -- three cases, with close
bug unlink-first    chansel  -DNG=3 -DBUG=1 -- waiter unlinked before its token is tried: touched after its select has returned
bug no-recheck      chansel  -DNG=2 -DBUG=2 -- registers without looking again under the locks: missed rendezvous
bug one-look        chansel  -DNG=3 -DM_SELD=1 -DM_SEL=0 -DCAPA=1 -DCAPB=1 -DBUG=3 -- default after one look, although a case was ready at every instant
bug lock-order      chansel  -DPROTO=0 -DNG=2 -DBUG=5 -- locks taken in the order of the cases: deadlock of the library
bug no-withdraw     chansel  -DNG=2 -DBUG=6 -- losing cases stay queued: a stale waiter is found later
bug timer-gen       chansel  -DNG=2 -DR=2 -DM_SELT=1 -DM_SEL=0 -DBUG=7 -- token without generation: an old timer ends a new wait
bug close-token     chansel  -DNG=3 -DM_CLOSE=1 -DBUG=8 -- close does not take the token: two outcomes of one select
ok  try-fence       trylit   -DF_TRY=1 -- full fence before the unlocked look: two tries cannot both miss
bug try-no-fence    trylit   -DF_TRY=0 -- no fence: "send A; try B" against "send B; try A" both miss
ok  park-2          park     -DNW=2 -DNG=2 -DOPS=1 -DFOPS=1 -- 2 workers, timers, a foreign waker, yield, exit and reuse of the descriptor
ok  park-2-permit   park     -DNW=2 -DNG=2 -DOPS=2 -DFOPS=0 -DM_PLAIN=0 -DM_YIELD=0 -DM_REUSE=0 -- permit parks, twice each
ok  park-3-plain    park     -DNW=2 -DNG=3 -DOPS=2 -DFOPS=0 -DM_PERMIT=0 -- unlock inside the switch and yield, 3 goroutines
ok  park-3-workers  park     -DNW=3 -DNG=2 -DOPS=1 -DFOPS=0 -DM_REUSE=0 -- 3 workers
OK  park-3          park     -DNW=2 -DNG=3 -DOPS=1 -DFOPS=1 -DM_YIELD=0 -DM_REUSE=0 -- 3 goroutines, timers, a foreign waker
bug unlock-early    park     -DOPS=2 -DBUG=1 -- lock released before the context is saved: two workers on one stack
bug yield-push      park     -DOPS=2 -DBUG=2 -- yield queues itself before the switch
bug blind-parked    park     -DOPS=2 -DBUG=3 -- parker stores PARKED blindly: lost wake-up
bug park-gen        park     -DOPS=2 -DBUG=4 -- timer without generation
bug no-token        park     -DOPS=2 -DBUG=5 -- waker does not take the token: woken twice
bug parked-early    park     -DOPS=2 -DBUG=6 -- PARKED stored before the context is saved
ok  idle-2          idle     -DNW=2 -DSPAWN=2 -- 2 workers, a goroutine that never gives its worker back
ok  idle-1-spare    idle     -DNW=1 -DNS=1 -DSPAWN=2 -- 1 worker and a spare
ok  idle-2-nap      idle     -DNW=2 -DSPAWN=1 -DINJ=1 -DHOGS=0 -DNAPS=1 -- a worker leaves its work to the other and sleeps
OK  idle-2-nap-hog  idle     -DNW=2 -DNS=1 -DSPAWN=2 -DNAPS=2 -- the same with a hog and a spare
bug nap-no-look     idle     -DNW=2 -DSPAWN=1 -DINJ=1 -DHOGS=0 -DNAPS=1 -DBUG=8 -- the last one awake naps without a look
bug nap-early-ask   idle     -DNW=2 -DSPAWN=1 -DINJ=1 -DHOGS=0 -DNAPS=1 -DBUG=9 -- it asks for that while others rely on its search
ok  idle-2-poll     idle     -DNW=2 -DSPAWN=0 -DINJ=1 -DHOGS=0 -DPOLL=1 -- one goroutine waits for the kernel: somebody always listens
OK  idle-2-poll-1   idle     -DNW=2 -DSPAWN=1 -DINJ=1 -DHOGS=0 -DPOLL=1 -- the same beside goroutines that start others
OK  idle-2-poll-2   idle     -DNW=2 -DSPAWN=0 -DINJ=1 -DHOGS=1 -DPOLL=2 -- two of them, and a hog
bug poll-orphan     idle     -DNW=2 -DSPAWN=1 -DINJ=1 -DHOGS=0 -DPOLL=1 -DBUG=10 -- the watcher looks while the last worker goes to sleep, and nobody listens
bug poll-no-bell    idle     -DNW=2 -DSPAWN=1 -DINJ=1 -DHOGS=0 -DPOLL=1 -DBUG=11 -- a sleeper in the poller is posted without the bell
OK  idle-2-pass     idle     -DNW=2 -DSPAWN=2 -DPASS=1 -- searches are always passed on
OK  idle-2-spare    idle     -DNW=2 -DNS=1 -DINJ=2 -DSPAWN=2 -DHOGS=2 -- 2 workers, a spare, 2 hogs
bug watcher-role    idle     -DNW=1 -DNS=1 -DBUG=1 -- the watcher is an idle worker: nobody watches when all are busy
bug watcher-deep    idle     -DBUG=2 -- nobody wakes the watcher
bug no-last-look    idle     -DBUG=3 -- sleeps without a last look at the global queue
bug search-lost     idle     -DBUG=4 -- a searcher that found work neither passes the search on nor wakes the watcher
bug deep-early      idle     -DBUG=5 -- the watcher sleeps deeply while workers are active
bug inject-deaf     idle     -DNW=1 -DNS=1 -DBUG=6 -- an injector that could not wake a worker does not look at the watcher
bug stuck-hidden    idle     -DNW=1 -DNS=1 -DBUG=7 -- a worker that serves nobody hides that all others are stuck
bug fence-inject    idle     -DF_INJ=0 -- no fence between injection and the look at the sleepers
bug fence-idle      idle     -DSPAWN=2 -DF_IDLE=0 -- no fence between announcing idle and the last look
bug fence-spin      idle     -DSPAWN=2 -DF_SPIN=0 -- no fence between leaving the search and the last look
bug fence-deep      idle     -DSPAWN=2 -DF_DEEP=0 -- no fence between watch=DEEP and the look at the workers
ok  dead-small      deadlock -DNW=1 -DNG=2 -DNF=1 -DACT=2 -- 1 worker, 2 goroutines, a foreign thread
ok  dead-heaps      deadlock -DNW=1 -DNG=2 -DNF=1 -DACT=2 -DHEAPS=2 -DM_FOREIGN=0 -- callbacks that arm timers in another heap
OK  dead-heaps-f    deadlock -DNW=1 -DNG=1 -DNF=1 -DACT=2 -DHEAPS=2 -- the same with a foreign thread
OK  dead-heaps-3    deadlock -DNW=1 -DNG=1 -DNF=1 -DACT=3 -DHEAPS=2 -DM_FOREIGN=0 -- the same, three times
OK  dead-2w         deadlock -DNW=2 -DNG=1 -DNF=1 -DACT=2 -- 2 workers, 1 goroutine, a foreign thread
OK  dead-2f         deadlock -DNW=1 -DNG=2 -DNF=2 -DACT=2 -- 2 foreign threads
OK  dead-2w2g       deadlock -DNW=2 -DNG=2 -DNF=1 -DACT=2 -- 2 workers, 2 goroutines
bug queue-first     deadlock -DBUG=1 -- queue read before the sources that feed it: false verdict
bug one-idle-look   deadlock -DBUG=2 -- no second look at the word of active workers: false verdict
bug leaver-silent   deadlock -DBUG=3 -- a foreign thread leaves without checking: missed
bug ext-late        deadlock -DBUG=4 -- an unparked foreign thread counts itself: false verdict
bug idle-aba        deadlock -DNW=1 -DNG=1 -DNF=2 -DACT=3 -DBUG=5 -- no count of wake-ups: false verdict
bug check-fence     deadlock -DBUG=6 -- the check overtakes the decrement: missed
bug inert-timer     deadlock -DBUG=7 -- a timer that wakes nobody goes without a check: missed
bug timer-check     deadlock -DBUG=8 -- the firing side leaves the check to the woken worker: missed
bug heap-moves      deadlock -DNW=1 -DNG=1 -DNF=1 -DACT=2 -DHEAPS=2 -DBUG=9 -- a timer moves to a heap that has been looked at: false verdict
END
}

# Searches one line of the table in a folder of its own and prints one line.
one() {
    kind=$1 name=$2 model=$3
    shift 3
    macros=
    while [ "$1" != -- ]; do
        macros="$macros $1"
        shift
    done
    shift
    what=$*
    case $kind in ok | bug) mem=4000 limit=200 ;; *) mem=14000 limit=1500 ;; esac
    dir=$tmp/$name
    mkdir "$dir" && cp "$here/$model.pml" "$dir/" && cd "$dir" || exit 2
    # shellcheck disable=SC2086 # the macros are words
    if ! spin $macros -a "$model.pml" >log 2>&1; then
        got="broken: $(head -n 1 log)"
    elif ! "$CC" -O2 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=$mem -o pan pan.c >log 2>&1; then
        got="broken: $CC failed: $(tail -n 1 log)"
    elif ! timeout $limit ./pan -m1000000 -c1 >log 2>&1; then
        got="time-out after $limit s"
    else
        states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' log)
        errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' log)
        if grep -q 'max search depth too small\|reached -DMEMLIM\|out of memory' log; then
            got="incomplete after ${states:-no} states"
        elif [ "$errors" = 0 ]; then
            got=clean
        elif [ -n "$errors" ]; then
            got=error
        else
            got="broken: no verdict"
        fi
    fi
    case $kind:$got in
        ok:clean | OK:clean) printf 'PASS  %-16s proved in %s states: %s\n' "$name" "$states" "$what" ;;
        bug:error | BUG:error) printf 'PASS  %-16s rejected: %s\n' "$name" "$what" ;;
        *)
            printf 'FAIL  %-16s %s: %s\n' "$name" "$got" "$what"
            : >"$tmp/failed"
            ;;
    esac
    cd "$here" && rm -rf "$dir"
}

if [ "$1" = --one ]; then
    shift
    # shellcheck disable=SC2086 # a line of the table
    one $1
    exit
fi

full=0 words=
for arg; do
    case $arg in --full) full=1 ;; *) words="$words $arg" ;; esac
done
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
export tmp CC
table | while read -r kind name rest; do
    take=0
    if [ -n "$words" ]; then
        for word in $words; do
            case $name in *"$word"*) take=1 ;; esac
        done
    else
        case $kind in ok | bug) take=1 ;; *) take=$full ;; esac
    fi
    [ $take = 0 ] || printf '%s %s %s\n' "$kind" "$name" "$rest"
done >"$tmp/todo"
[ -s "$tmp/todo" ] || { echo "no run of that name"; exit 2; }
tr '\n' '\0' <"$tmp/todo" | xargs -0 -n 1 -P "$JOBS" sh "$0" --one
if [ -e "$tmp/failed" ]; then
    echo "FAILED"
    exit 1
fi
echo "$(wc -l <"$tmp/todo") runs, all passed"
