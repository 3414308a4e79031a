/*
 * peers.h - what the tests of connections share: listening somewhere, who is there, what is still open.
 */
#ifndef RN_TEST_PEERS_H
#define RN_TEST_PEERS_H

#include "../test.h"
#include <dirent.h>
#include <runnel/net.h>

/* How many descriptors of a kind are open: what /proc calls them begins so. Others come and go, since the
 * runtime looks into /proc now and then. */
TEST_FN int open_fds(const char *kind)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char what[64];
        ssize_t len = readlinkat(dirfd(d), e->d_name, what, sizeof what);
        n += len >= (ssize_t)strlen(kind) && memcmp(what, kind, strlen(kind)) == 0;
    }
    closedir(d);
    return n;
}

TEST_FN rn_addr addr_of(const char *text)
{
    rn_addr a;
    CHECK_EQ(rn_addr_parse(&a, text), 0);
    return a;
}

/* Listens, and tells where. */
TEST_FN int listen_on(const char *text, const rn_listen_opts *opts, rn_addr *at)
{
    int l = rn_listen(text, opts);
    if (l < 0)
        test_fail(__FILE__, __LINE__, "listening on %s: %s", text, rn_net_error(l));
    CHECK_EQ(rn_local_addr(l, at), 0);
    return l;
}

TEST_FN const char *text_of(const rn_addr *a)
{
    static __thread char text[RN_ADDR_TEXT];
    rn_addr_text(a, text, sizeof text);
    return text;
}

/* A byte goes each way. */
TEST_FN void talk(int a, int b)
{
    char c = 0;
    CHECK_EQ(rn_write(a, "x", 1), 1);
    CHECK_EQ(rn_read(b, &c, 1), 1);
    CHECK_EQ(c, 'x');
    CHECK_EQ(rn_write(b, "y", 1), 1);
    CHECK_EQ(rn_read(a, &c, 1), 1);
    CHECK_EQ(c, 'y');
}

#endif
