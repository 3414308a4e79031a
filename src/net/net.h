/*
 * net.h - what the files of this folder share: an address taken apart, lookups. Private to net/.
 *
 * Invariants
 *  - Everything here stands on io/ and, for the race of rn_dial, on channels; nothing stands on it.
 */
#ifndef RN_NET_NET_H
#define RN_NET_NET_H

#include <runnel/errno.h>
#include <runnel/net.h>

enum {
    RN__HOST_MAX = 255,   /* bytes of a host name, zone included */
    RN__SERVICE_MAX = 31, /* bytes of a service name */
};

/* A text of the form host:port, taken apart. */
typedef struct rn__hostport {
    char host[RN__HOST_MAX + 1];       /* without brackets; "" if left out */
    char service[RN__SERVICE_MAX + 1]; /* a number or a name */
    int port;                          /* -1: a name that is not known here */
    bool bracketed;                    /* must be an IPv6 address */
} rn__hostport;

/* Whether the text names a Unix socket; then rn_addr_parse does all. */
bool rn__addr_is_unix(const char *text);

/* Takes a text apart: 0 or a negative errno. */
int rn__addr_split(rn__hostport *h, const char *text);

/* The address if the host is a number: 0, -ENOENT if it is a name, or another negative errno. */
int rn__addr_numeric(rn_addr *a, const rn__hostport *h);

/* The wildcard (to listen) or loopback (to dial) address of a family. */
void rn__addr_special(rn_addr *a, int family, bool loopback, int port);

/* Asks the system, in a thread of its own: as rn_lookup. */
int rn__resolve(const rn__hostport *h, int64_t deadline, rn_addr **all);

/* rn_lookup, and what stands for a missing host. */
int rn__lookup(const char *text, bool listening, int64_t deadline, rn_addr **all);

#endif
