/*
 * desc.c - the table of descriptors: starting and ending calls, waiting, deadlines, closing.
 *
 * Invariants: see desc.h.
 */
#include "desc.h"
#include <runnel/errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CHUNK = 1024,     /* descriptors per chunk of the table */
    CHUNKS = 1 << 12, /* four million numbers: more than any kernel hands out by default */
    STANDARD_FDS = 3, /* 0 to 2 are shared with other processes: their mode stays as it is */
};

static rn__desc *_Atomic table[CHUNKS]; /* release store when a chunk is ready */
static rn__lock table_lock;             /* guards growth; a reservation of memory under it */

rn__desc *rn__desc_of(int fd)
{
    if (fd < 0 || fd / CHUNK >= CHUNKS)
        return NULL;
    /* acquire: the chunk's contents */
    rn__desc *chunk = atomic_load_explicit(&table[fd / CHUNK], memory_order_acquire);
    if (RN_UNLIKELY(chunk == NULL)) {
        rn__lock_take(&table_lock);
        chunk = atomic_load_explicit(&table[fd / CHUNK], memory_order_relaxed);
        if (chunk == NULL) {
            chunk = rn__reserve(sizeof(rn__desc) * CHUNK, 4096);
            if (chunk != NULL) {
#if RN__ASAN
                __lsan_register_root_region(chunk, sizeof(rn__desc) * CHUNK);
#endif
                for (int i = 0; i < CHUNK; i++) {
                    chunk[i].fd = fd / CHUNK * CHUNK + i;
                    chunk[i].deadline[RN__READ] = chunk[i].deadline[RN__WRITE] = RN_NEVER;
                }
                atomic_store_explicit(&table[fd / CHUNK], chunk, memory_order_release);
            }
        }
        rn__lock_drop(&table_lock);
        if (chunk == NULL)
            return NULL;
    }
    return &chunk[fd % CHUNK];
}

/* ------------------------------------------------------------------------------ first use, last use */

/* Under the lock: finds out what the number is, and registers it. */
static int meet(rn__desc *d, bool ours)
{
    int mode = fcntl(d->fd, F_GETFL);
    if (mode < 0)
        return -EBADF;
    d->foreign = !ours;
    d->was_blocking = (mode & O_NONBLOCK) == 0;
    d->no_socket = false;
    d->ready[RN__READ] = d->ready[RN__WRITE] = false;
    d->deadline[RN__READ] = d->deadline[RN__WRITE] = RN_NEVER;
    if (!ours && d->fd < STANDARD_FDS && d->was_blocking) {
        d->kind = RN__FD_FILE;
        return 0;
    }
    int err = rn__poller_add(d);
    if (err == -EPERM) { /* a regular file or a folder */
        d->kind = RN__FD_FILE;
        return 0;
    }
    if (err != 0)
        return err;
    if (d->was_blocking && fcntl(d->fd, F_SETFL, mode | O_NONBLOCK) < 0) {
        err = -errno;
        rn__poller_remove(d);
        return err;
    }
    d->kind = RN__FD_POLLED;
    return 0;
}

/* The last call has ended, and the descriptor is to go. Nobody else is in, and nobody comes. */
static int finish(rn__desc *d)
{
    RN__HB_ACQUIRE(d);
    rn__lock_take(&d->lock);
    int fd = d->fd;
    bool give_back = d->releasing;
    if (d->kind == RN__FD_POLLED)
        rn__poller_remove(d);
    if (give_back && d->was_blocking && d->kind == RN__FD_POLLED) {
        int mode = fcntl(fd, F_GETFL);
        if (mode >= 0)
            fcntl(fd, F_SETFL, mode & ~O_NONBLOCK);
    }
    d->kind = RN__FD_UNKNOWN;
    d->releasing = false;
    d->gen++;
    rn__lock_drop(&d->lock);
    /* The entry is fresh before the number can come again. release: all of the above is seen by the next
     * one who enters. */
    atomic_store_explicit(&d->state, 0, memory_order_release);
    if (give_back)
        return 0;
    return close(fd) == 0 ? 0 : -errno; /* tools see the number's next owner come after this */
}

rn__desc *rn__desc_enter(int fd, int *err)
{
    rn__desc *d = rn__desc_of(fd);
    if (RN_UNLIKELY(d == NULL)) {
        *err = fd < 0 ? -EBADF : -EMFILE;
        return NULL;
    }
    rn__current(); /* a foreign thread is met before it writes */
    /* relaxed: the swap decides */
    uint64_t old = atomic_load_explicit(&d->state, memory_order_relaxed);
    do {
        if (RN_UNLIKELY((old & RN__FD_CLOSING) != 0)) {
            *err = -ECANCELED;
            return NULL;
        }
    } while (!rn__solo_cas(&d->state, &old, old + 1));
    if (RN_UNLIKELY(__atomic_load_n(&d->kind, __ATOMIC_ACQUIRE) == RN__FD_UNKNOWN)) {
        rn__lock_take(&d->lock);
        *err = d->kind == RN__FD_UNKNOWN ? meet(d, false) : 0;
        rn__lock_drop(&d->lock);
        if (*err != 0) {
            rn__desc_leave(d);
            return NULL;
        }
    }
    return d;
}

void rn__desc_leave(rn__desc *d)
{
    RN__HB_RELEASE(d); /* for the end of the descriptor, not among its users */
    uint64_t old = rn__solo_add(&d->state, UINT64_MAX);
    if (RN_UNLIKELY(old == (RN__FD_CLOSING | 1)))
        (void)finish(d);
}

int rn__desc_adopt(int fd)
{
    rn__desc *d = rn__desc_of(fd);
    if (d == NULL)
        return -EMFILE;
    rn__lock_take(&d->lock);
    int err = meet(d, true);
    rn__lock_drop(&d->lock);
    return err;
}

/* -------------------------------------------------------------------------------------- waiting */

enum { AGAIN_EDGE = 0, AGAIN_DEADLINE = 1 }; /* won_case: why a wait was ended */

static void append(rn__desc *d, enum rn__side side, rn__sudog *w)
{
    rn__sudog *head = d->queue[side];
    if (head == NULL) {
        w->next = w->prev = w;
        d->queue[side] = w;
    } else {
        w->next = head;
        w->prev = head->prev;
        head->prev->next = w;
        head->prev = w;
    }
    /* relaxed: under the lock */
    atomic_store_explicit(&w->linked, 1, memory_order_relaxed);
}

static void take_off(rn__desc *d, enum rn__side side, rn__sudog *w)
{
    if (w->next == w) {
        d->queue[side] = NULL;
    } else {
        w->prev->next = w->next;
        w->next->prev = w->prev;
        if (d->queue[side] == w)
            d->queue[side] = w->next;
    }
    atomic_store_explicit(&w->linked, 0, memory_order_relaxed);
}

/* Under the lock: takes everybody off a side's queue; the winners go to *list, linked by next. */
static bool take_all(rn__desc *d, enum rn__side side, enum rn__won how, uint16_t why, rn__g **list)
{
    bool any = false;
    rn__sudog *w;
    while ((w = d->queue[side]) != NULL) {
        rn__g *g = w->g;
        uint64_t gen = w->gen;
        take_off(d, side, w);
        if (!rn__token_take(g, gen))
            continue; /* its deadline was first */
        g->won_how = (uint8_t)how;
        g->won_case = why;
        g->next = *list; /* ours until the permit */
        *list = g;
        any = true;
    }
    return any;
}

static void wake_list(rn__g *list)
{
    while (list != NULL) {
        rn__g *g = list;
        list = g->next;
        rn__ready_permit(g);
    }
}

int rn__desc_wait(rn__desc *d, enum rn__side side, int64_t deadline)
{
    rn__g *g = rn__current();
    for (;;) {
        if (d->foreign) {
            int err = rn__poller_renew(d);
            if (err != 0)
                return err;
        }
        rn__sudog *w = &g->sudog;
        rn__lock_take(&d->lock);
        if (atomic_load_explicit(&d->state, memory_order_relaxed) & RN__FD_CLOSING) {
            rn__lock_drop(&d->lock);
            return -ECANCELED;
        }
        int64_t until = d->deadline[side] < deadline ? d->deadline[side] : deadline;
        if (until != RN_NEVER && until <= rn_now()) {
            rn__lock_drop(&d->lock);
            return -ETIMEDOUT;
        }
        if (d->ready[side]) {
            d->ready[side] = false;
            rn__lock_drop(&d->lock);
            return 0;
        }
        rn__note_wait(g, RN__WAIT_IO_WAIT, d, NULL);
        w->g = g;
        w->elem = NULL;
        w->c = NULL;
        w->is_select = true;
        w->is_send = side == RN__WRITE;
        w->gen = rn__token_open(g);
        append(d, side, w);
        rn__wait_outside(1); /* before the lock is dropped: who wakes us finds it counted */
        rn__lock_drop(&d->lock);

        rn__timer t = {.fire = rn__timer_wake, .arg = g, .gen = w->gen};
        if (until != RN_NEVER)
            rn__timer_arm(&t, until);
        rn__poller_needed(g);
        rn__park_permit(g);
        if (until != RN_NEVER)
            rn__timer_disarm(&t);
        int how = g->won_how;
        int why = g->won_case;
        rn__lock_take(&d->lock);
        if (atomic_load_explicit(&w->linked, memory_order_relaxed) != 0)
            take_off(d, side, w);
        rn__lock_drop(&d->lock);
        rn__token_close(g);
        rn__wait_outside(-1);
        if (how == RN__WON_CANCELED)
            return -ECANCELED;
        if (how == RN__WON_TIMEOUT)
            return -ETIMEDOUT;
        if (why == AGAIN_EDGE)
            return 0;
    }
}

bool rn__desc_absorb(int fd, uint32_t gen, bool read, bool write)
{
    rn__desc *d = rn__desc_of(fd);
    rn__lock_take(&d->lock);
    bool ours = d->gen == gen && d->kind == RN__FD_POLLED;
    bool waited =
        ours && ((read && d->queue[RN__READ] != NULL) || (write && d->queue[RN__WRITE] != NULL));
    if (ours && !waited) {
        d->ready[RN__READ] |= read;
        d->ready[RN__WRITE] |= write;
    }
    rn__lock_drop(&d->lock);
    return !waited;
}

void rn__desc_event(int fd, uint32_t gen, bool read, bool write)
{
    rn__desc *d = rn__desc_of(fd);
    rn__g *list = NULL;
    rn__lock_take(&d->lock);
    if (d->gen == gen && d->kind == RN__FD_POLLED) {
        if (read && !take_all(d, RN__READ, RN__WON_OK, AGAIN_EDGE, &list))
            d->ready[RN__READ] = true;
        if (write && !take_all(d, RN__WRITE, RN__WON_OK, AGAIN_EDGE, &list))
            d->ready[RN__WRITE] = true;
    }
    rn__lock_drop(&d->lock);
    wake_list(list);
}

/* ------------------------------------------------------------------------------------- deadlines */

static int set_deadlines(int fd, bool read, bool write, int64_t deadline)
{
    int err;
    rn__desc *d = rn__desc_enter(fd, &err);
    if (d == NULL)
        return err;
    rn__g *list = NULL;
    rn__lock_take(&d->lock);
    if (read) {
        d->deadline[RN__READ] = deadline;
        take_all(d, RN__READ, RN__WON_OK, AGAIN_DEADLINE, &list);
    }
    if (write) {
        d->deadline[RN__WRITE] = deadline;
        take_all(d, RN__WRITE, RN__WON_OK, AGAIN_DEADLINE, &list);
    }
    rn__lock_drop(&d->lock);
    wake_list(list); /* they look at the new deadline and wait again */
    rn__desc_leave(d);
    return 0;
}

int rn_set_deadline(int fd, int64_t deadline)
{
    return set_deadlines(fd, true, true, deadline);
}
int rn_set_read_deadline(int fd, int64_t deadline)
{
    return set_deadlines(fd, true, false, deadline);
}
int rn_set_write_deadline(int fd, int64_t deadline)
{
    return set_deadlines(fd, false, true, deadline);
}

/* --------------------------------------------------------------------------------------- closing */

static int end(int fd, bool release)
{
    rn__desc *d = rn__desc_of(fd);
    if (d == NULL)
        return -EBADF;
    rn__current();
    rn__g *list = NULL;
    rn__lock_take(&d->lock);
    uint64_t state = atomic_load_explicit(&d->state, memory_order_relaxed);
    int err = 0;
    do {
        if ((state & RN__FD_CLOSING) || (release && d->kind == RN__FD_UNKNOWN))
            err = -EBADF;
        else if (release && state != 0)
            err = -EBUSY;
        /* no new calls from here on; and one of our own, so that there is a last one */
    } while (err == 0 && !rn__solo_cas(&d->state, &state, (state + 1) | RN__FD_CLOSING));
    if (err == 0) {
        d->releasing = release;
        take_all(d, RN__READ, RN__WON_CANCELED, 0, &list);
        take_all(d, RN__WRITE, RN__WON_CANCELED, 0, &list);
    }
    rn__lock_drop(&d->lock);
    if (err != 0)
        return err;
    wake_list(list);
    uint64_t old = rn__solo_add(&d->state, UINT64_MAX);
    return old == (RN__FD_CLOSING | 1) ? finish(d) : 0;
}

int rn_close(int fd)
{
    return end(fd, false);
}

int rn_fd_release(int fd)
{
    return end(fd, true);
}
