/*
 * lookup.c - names: their addresses, their errors, silent name servers, many lookups at a time.
 *
 * Invariants
 *  - Names are answered by this file's own getaddrinfo, so that no name server is needed and a silent one can
 *    be had.
 */
#include "peers.h"
#include <netdb.h>

/* --------------------------------------------------------------------------- a name server */

static _Atomic(int) hanging;   /* lookups that do not come back */
static _Atomic(bool) released; /* until this is set */

static struct addrinfo *answer(int family, int port, struct addrinfo *next)
{
    struct addrinfo *a = calloc(1, sizeof *a);
    CHECK(a != NULL);
    rn_addr parsed;
    char text[64];
    snprintf(text, sizeof text, family == AF_INET ? "127.0.0.1:%d" : "[::1]:%d", port);
    CHECK_EQ(rn_addr_parse(&parsed, text), 0);
    a->ai_family = family;
    a->ai_addrlen = parsed.len;
    a->ai_addr = malloc(parsed.len);
    CHECK(a->ai_addr != NULL);
    memcpy(a->ai_addr, &parsed.ss, parsed.len);
    a->ai_next = next;
    return a;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    (void)hints;
    char large[100 * 1024]; /* more than a goroutine's stack */
    memset(large, 1, sizeof large);
    __asm__ volatile("" : : "r"(large) : "memory");
    int port = strcmp(service, "gopher") == 0 ? 70 : atoi(service);
    if (port == 0 && strcmp(service, "0") != 0)
        return EAI_SERVICE;
    if (host == NULL || strcmp(host, "both.test") == 0)
        *found = answer(AF_INET6, port, answer(AF_INET, port, NULL));
    else if (strcmp(host, "four.test") == 0 || strcmp(host, "127.0.0.1") == 0)
        *found = answer(AF_INET, port, NULL);
    else if (strcmp(host, "again.test") == 0)
        return EAI_AGAIN;
    else if (strcmp(host, "broken.test") == 0)
        return EAI_FAIL;
    else if (strcmp(host, "silent.test") == 0) {
        atomic_fetch_add(&hanging, 1);
        while (!atomic_load(&released))
            usleep(500);
        atomic_fetch_sub(&hanging, 1);
        *found = answer(AF_INET, port, NULL);
    } else
        return EAI_NONAME;
    return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
    while (a != NULL) {
        struct addrinfo *next = a->ai_next;
        free(a->ai_addr);
        free(a);
        a = next;
    }
}

/* ---------------------------------------------------------------------------------- names */

ITEM(1, "names: both families in order, errors by their numbers, numbers without asking")
{
    rn_addr *all;
    CHECK_EQ(rn_lookup("both.test:80", test_patience(), &all), 2);
    CHECK(strcmp(text_of(&all[0]), "[::1]:80") == 0);
    CHECK(strcmp(text_of(&all[1]), "127.0.0.1:80") == 0);
    free(all);
    CHECK_EQ(rn_lookup("four.test:gopher", test_patience(), &all), 1);
    CHECK_EQ(rn_addr_port(&all[0]), 70);
    free(all);
    CHECK_EQ(rn_lookup(":gopher", test_patience(), &all), 2);
    CHECK(strcmp(text_of(&all[0]), "[::1]:70") == 0);
    free(all);
    CHECK_EQ(rn_lookup("127.0.0.1:gopher", test_patience(), &all), 1);
    free(all);
    CHECK_EQ(rn_lookup("[::1]:5", 0, &all), 1); /* nothing to wait for */
    free(all);
    CHECK_EQ(rn_lookup("unix:@x", 0, &all), 1);
    free(all);
    CHECK_EQ(rn_lookup("none.test:80", test_patience(), &all), -ENOENT);
    CHECK_EQ(rn_lookup("again.test:80", test_patience(), &all), -EAGAIN);
    CHECK_EQ(rn_lookup("broken.test:80", test_patience(), &all), -EIO);
    CHECK_EQ(rn_lookup("both.test:what", test_patience(), &all), -ESRCH);
    CHECK_EQ(rn_lookup("both.test", test_patience(), &all), -EINVAL);
    CHECK_EQ(rn_lookup("both.test:80", rn_now() - 1, &all), -ETIMEDOUT);
    CHECK_EQ(rn_dial("none.test:80", test_patience()), -ENOENT);
    CHECK_EQ(rn_listen("none.test:80", NULL), -ENOENT);
    CHECK_HAS(rn_net_error(-ENOENT), "no such host");
    CHECK_HAS(rn_net_error(-ECONNREFUSED), "refused");
    CHECK_HAS(rn_net_error(-EINVAL), "host:port");
}

ITEM(2, "a listener of one family only is found by name")
{
    rn_addr at;
    char text[64];
    int l = listen_on("four.test:0", NULL, &at);
    snprintf(text, sizeof text, "both.test:%d", rn_addr_port(&at));
    int s = rn_dial(text, test_patience()); /* [::1] refuses */
    CHECK(s >= 0);
    rn_close(s);
    rn_close(l);
    l = listen_on("[::1]:0", NULL, &at);
    snprintf(text, sizeof text, "both.test:%d", rn_addr_port(&at));
    CHECK((s = rn_dial(text, test_patience())) >= 0);
    rn_close(s);
    rn_close(l);
}

static _Atomic(int) answered;
static void ask_silent(void *arg)
{
    (void)arg;
    rn_addr *all;
    CHECK_EQ(rn_lookup("silent.test:80", RN_NEVER, &all), 1);
    free(all);
    atomic_fetch_add(&answered, 1);
}

ITEM(3, "silent name servers: no worker waits for them, deadlines hold, and later all is well")
{
    rn_gomaxprocs(1);
    int before = open_fds("anon_inode:[eventfd]");
    rn_addr *all;
    while (atomic_load(&hanging) == 0) /* until one is left alone with its thread */
        CHECK_EQ(rn_lookup("silent.test:80", rn_now() + 20 * RN_MS, &all), -ETIMEDOUT);
    for (int i = 0; i < 50; i++)
        test_go(ask_silent, NULL);  /* more than there are threads */
    WAIT_PARKED(50, IO_WAIT, NULL); /* the only worker goes on */
    WAIT_UNTIL(atomic_load(&hanging) == 32);
    /* no thread is free: it is taken out of the queue again */
    CHECK_EQ(rn_lookup("both.test:80", rn_now() + 20 * RN_MS, &all), -ETIMEDOUT);
    CHECK_EQ(atomic_load(&answered), 0);
    atomic_store(&released, true);
    CHECK_EQ(rn_lookup("both.test:80", test_patience(), &all), 2);
    free(all);
    WAIT_GONE(1);
    CHECK_EQ(atomic_load(&answered), 50);
    WAIT_UNTIL(atomic_load(&hanging) == 0);
    CHECK_EQ(open_fds("anon_inode:[eventfd]"), before + 1); /* the poller has one */
}

static _Atomic(int64_t) answers;
static void ask_often(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++) {
        rn_addr *all;
        int n = rn_lookup(i % 3 == 0 ? "none.test:1" : "both.test:1", test_patience(), &all);
        CHECK_EQ(n, i % 3 == 0 ? -ENOENT : 2);
        if (n > 0)
            free(all);
        atomic_fetch_add(&answers, 1);
    }
}
static void *ask_thread(void *arg)
{
    ask_often(arg);
    return NULL;
}

static void lookups(int workers)
{
    rn_gomaxprocs(workers);
    int each = (int)test_scale(50, 10);
    pthread_t t;
    CHECK(pthread_create(&t, NULL, ask_thread, &each) == 0);
    for (int i = 0; i < 40; i++)
        test_go(ask_often, &each);
    WAIT_GONE(1);
    rn_blocking pthread_join(t, NULL);
    CHECK_EQ(atomic_load(&answers), 41 * each);
}
ITEM(4, "many lookups at a time, one worker and a foreign thread")
{
    lookups(1);
}
ITEM(5, "many lookups at a time, four workers and a foreign thread")
{
    lookups(4);
}

CHILD(seeded)
{
    rn_addr *all, at;
    CHECK_EQ(rn_lookup("both.test:80", rn_now() + RN_SEC, &all), 2);
    free(all);
    int l = listen_on("127.0.0.1:0", NULL, &at);
    int s = rn_dial_addr(&at, RN_NEVER);
    CHECK(s >= 0);
    int c = rn_accept(l, NULL, NULL);
    CHECK(c >= 0);
    talk(s, c);
    printf("talked\n");
}

ITEM(6, "with a seed: a lookup does not let the virtual clock run")
{
    test_child *c = test_run_child("seeded", "RUNNEL_DEBUG=seed=7", NULL);
    if (c->status != 0)
        test_fail(__FILE__, __LINE__, "status %d: %s", c->status, c->err);
    CHECK_HAS(c->out, "talked");
}

CHILD(stuck)
{
    rn_addr *all;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(rn_lookup("both.test:80", RN_NEVER, &all), 2);
        free(all);
    }
    chan(int) c = chan_make(int, 0);
    chan_recv(c, NULL);
}

ITEM(7, "the threads that look up names keep no deadlock alive")
{
    test_child *c = test_run_child("stuck", NULL);
    CHECK_EQ(c->status, 2);
    CHECK_HAS(c->err, "all goroutines are asleep - deadlock!");
}

TEST_MAIN
