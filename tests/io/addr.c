/*
 * addr.c - addresses as text: what is one, what is not, and how it is shown.
 *
 * Invariants
 *  - Nothing here opens a socket or asks for a name.
 */
#include "../test.h"
#include <runnel/net.h>

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
    const char *text;
    int err;
    const char *shown; /* NULL: as it was */
    int port;
} table[] = {
    {"127.0.0.1:80", 0, NULL, 80},
    {"0.0.0.0:0", 0, NULL, 0},
    {"255.255.255.255:65535", 0, NULL, 65535},
    {"127.0.0.1:00080", 0, "127.0.0.1:80", 80},
    {"127.0.0.1:https", 0, "127.0.0.1:443", 443},
    {":8080", 0, "[::]:8080", 8080},
    {":ssh", 0, "[::]:22", 22},
    {"[::1]:1", 0, NULL, 1},
    {"[0:0:0:0:0:0:0:1]:1", 0, "[::1]:1", 1},
    {"[2001:DB8::A]:443", 0, "[2001:db8::a]:443", 443},
    {"[::ffff:1.2.3.4]:5", 0, NULL, 5},
    {"[fe80::1%lo]:7", 0, NULL, 7},
    {"[fe80::1%4000000000]:7", 0, NULL, 7},
    {"unix:/run/x.sock", 0, NULL, -EAFNOSUPPORT},
    {"unix:./x", 0, NULL, -EAFNOSUPPORT},
    {"unix:../x", 0, NULL, -EAFNOSUPPORT},
    {"unix:/a b:c[d]@e", 0, NULL, -EAFNOSUPPORT},
    {"unix:@abstract", 0, NULL, -EAFNOSUPPORT},
    {"unix:@", 0, "unix:", -EAFNOSUPPORT},
    {"unix:/" HUNDRED "123456", 0, NULL, -EAFNOSUPPORT},  /* 107 bytes and NUL */
    {"unix:@" HUNDRED "1234567", 0, NULL, -EAFNOSUPPORT}, /* 108 */
    /* names */
    {"localhost:80", -ENOENT, NULL, 0},
    {"unix:80", -ENOENT, NULL, 0}, /* a host of that name */
    {"127.0.0.1:no-such-service", -ENOENT, NULL, 0},
    {"1.2.3:80", -ENOENT, NULL, 0},
    {"1.2.3.4.5:80", -ENOENT, NULL, 0},
    {"256.0.0.1:80", -ENOENT, NULL, 0},
    {"127.0.0.01:80", -ENOENT, NULL, 0},
    {"m\xc3\xbcnchen:80", -ENOENT, NULL, 0},
    /* bad ones */
    {"", -EINVAL, NULL, 0},
    {":", -EINVAL, NULL, 0},
    {"80", -EINVAL, NULL, 0},
    {"127.0.0.1", -EINVAL, NULL, 0},
    {"127.0.0.1:", -EINVAL, NULL, 0},
    {"127.0.0.1:65536", -EINVAL, NULL, 0},
    {"127.0.0.1:4294967376", -EINVAL, NULL, 0},
    {"127.0.0.1:99999999999999999999", -EINVAL, NULL, 0},
    {"127.0.0.1:-1", -EINVAL, NULL, 0},
    {"127.0.0.1:+1", -EINVAL, NULL, 0},
    {"127.0.0.1:8o", -EINVAL, NULL, 0},
    {"127.0.0.1:80 ", -EINVAL, NULL, 0},
    {"127.0.0.1: 80", -EINVAL, NULL, 0},
    {" 127.0.0.1:80", -EINVAL, NULL, 0},
    {"127.0.0.1:80:80", -EINVAL, NULL, 0},
    {"::1:80", -EINVAL, NULL, 0},
    {"::1", -EINVAL, NULL, 0},
    {"[::1]", -EINVAL, NULL, 0},
    {"[::1]80", -EINVAL, NULL, 0},
    {"[::1:80", -EINVAL, NULL, 0},
    {"::1]:80", -EINVAL, NULL, 0},
    {"[[::1]]:80", -EINVAL, NULL, 0},
    {"[]:80", -EINVAL, NULL, 0},
    {"[127.0.0.1]:80", -EINVAL, NULL, 0},
    {"[localhost]:80", -EINVAL, NULL, 0},
    {"[1::2::3]:80", -EINVAL, NULL, 0},
    {"[fe80::1%]:80", -EINVAL, NULL, 0},
    {"[fe80::1%no-such-zone]:80", -ENODEV, NULL, 0},
    {"[fe80::1%0]:80", -ENODEV, NULL, 0},
    {"[fe80::1%4294967296]:80", -ENODEV, NULL, 0},
    {"http://x:80", -EINVAL, NULL, 0},
    {"a/b:80", -EINVAL, NULL, 0},
    {"a\n:80", -EINVAL, NULL, 0},
    {"x:" HUNDRED, -EINVAL, NULL, 0},
    {HUNDRED HUNDRED HUNDRED ":80", -EINVAL, NULL, 0},
    {"unix:", -EINVAL, NULL, 0},
    {"unix:/" HUNDRED "1234567", -ENAMETOOLONG, NULL, 0},
    {"unix:@" HUNDRED "12345678", -ENAMETOOLONG, NULL, 0},
};
enum { ROWS = sizeof table / sizeof *table };

ITEM(1, "addresses: what is one, what is not, and how it is shown")
{
    for (int i = 0; i < ROWS; i++) {
        rn_addr a;
        char text[RN_ADDR_TEXT];
        int err = rn_addr_parse(&a, table[i].text);
        if (err != table[i].err)
            test_fail(__FILE__, __LINE__, "\"%s\" gives %d, should give %d", table[i].text, err,
                      table[i].err);
        if (err != 0)
            continue;
        const char *shown = table[i].shown != NULL ? table[i].shown : table[i].text;
        size_t n = rn_addr_text(&a, text, sizeof text);
        if (strcmp(text, shown) != 0 || n != strlen(shown))
            test_fail(__FILE__, __LINE__, "\"%s\" is shown as \"%s\"", table[i].text, text);
        CHECK_EQ(rn_addr_port(&a), table[i].port);
        char cut[10];
        CHECK_EQ(rn_addr_text(&a, cut, sizeof cut), n);
        CHECK(strncmp(cut, text, 9) == 0 && strlen(cut) == (n < 9 ? n : 9));
        CHECK_EQ(rn_addr_text(&a, NULL, 0), n);
    }
    rn_addr unknown = {.ss = {.ss_family = AF_PACKET}, .len = sizeof unknown.ss};
    char text[RN_ADDR_TEXT];
    rn_addr_text(&unknown, text, sizeof text);
    CHECK(strcmp(text, "?") == 0);
}

ITEM(2,
     "addresses: random bytes and damaged ones never do harm, and what is read is shown the same")
{
    uint64_t seed = 1;
    int64_t good = 0;
    for (int64_t round = test_scale(200000, 20000); round > 0; round--) {
        char raw[400];
        size_t n;
        uint64_t r = test_random(&seed);
        if (r % 4 == 0) {
            static const char alphabet[] = "[]:%.@/0123456789abcdefunix:-";
            n = (r >> 8) % 40;
            for (size_t i = 0; i < n; i++)
                raw[i] = r % 8 != 0 ? alphabet[test_random(&seed) % (sizeof alphabet - 1)]
                                    : (char)(test_random(&seed) | 1);
        } else {
            const char *from = table[(r >> 8) % ROWS].text;
            n = strlen(from);
            memcpy(raw, from, n);
            for (uint64_t k = (r >> 32) % 3; k > 0 && n > 0; k--) {
                uint64_t q = test_random(&seed);
                size_t at = (q >> 8) % n;
                if (q % 3 == 0)
                    raw[at] = (char)((q >> 32) | 1);
                else if (q % 3 == 1)
                    memmove(raw + at, raw + at + 1, --n - at);
                else {
                    memmove(raw + at + 1, raw + at, n - at);
                    n++;
                }
            }
        }
        /* exactly as large as it is: AddressSanitizer sees one byte too many */
        char *text = malloc(n + 1);
        CHECK(text != NULL);
        memcpy(text, raw, n);
        text[n] = '\0';
        rn_addr a, b;
        int err = rn_addr_parse(&a, text);
        free(text);
        CHECK(err == 0 || err == -EINVAL || err == -ENOENT || err == -ENODEV ||
              err == -ENAMETOOLONG);
        if (err != 0)
            continue;
        char shown[RN_ADDR_TEXT];
        CHECK(rn_addr_text(&a, shown, sizeof shown) < sizeof shown);
        if (strcmp(shown, "unix:") == 0)
            continue;
        good++;
        CHECK_EQ(rn_addr_parse(&b, shown), 0);
        CHECK(a.len == b.len && memcmp(&a.ss, &b.ss, sizeof a.ss) == 0);
    }
    CHECK(good > 1000);
}

TEST_MAIN
