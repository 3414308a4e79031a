/*
 * addr.c - addresses from text and to text.
 *
 * Invariants
 *  - Nothing here blocks, allocates or looks anything up, but the number of a zone.
 *  - What rn_addr_text prints of an address that rn_addr_parse made, rn_addr_parse reads as the same one.
 */
#define _GNU_SOURCE
#include "net.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* ------------------------------------------------------------------------------- sockaddr */

static void take_v4(rn_addr *a, struct in_addr ip, int port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    in.sin_addr = ip;
    memset(a, 0, sizeof *a);
    memcpy(&a->ss, &in, sizeof in);
    a->len = sizeof in;
}

static void take_v6(rn_addr *a, const struct in6_addr *ip, uint32_t zone, int port)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    in.sin6_addr = *ip;
    in.sin6_scope_id = zone;
    memset(a, 0, sizeof *a);
    memcpy(&a->ss, &in, sizeof in);
    a->len = sizeof in;
}

void rn__addr_special(rn_addr *a, int family, bool loopback, int port)
{
    if (family == AF_INET)
        take_v4(a, (struct in_addr){htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY)}, port);
    else
        take_v6(a, loopback ? &in6addr_loopback : &in6addr_any, 0, port);
}

/* -------------------------------------------------------------------------------- reading */

static const char unix_prefix[] = "unix:";
enum { UNIX_PREFIX = sizeof unix_prefix - 1, PATH_AT = offsetof(struct sockaddr_un, sun_path) };

bool rn__addr_is_unix(const char *text)
{
    /* a host may be called unix: its port begins neither with a dot, a slash nor an at */
    return strncmp(text, unix_prefix, UNIX_PREFIX) == 0 &&
           (text[UNIX_PREFIX] == '/' || text[UNIX_PREFIX] == '@' || text[UNIX_PREFIX] == '.');
}

static int parse_unix(rn_addr *a, const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    bool abstract = path[0] == '@';
    if (n + !abstract >
        sizeof un.sun_path) /* a file's name ends with NUL, an abstract one does not */
        return -ENAMETOOLONG;
    memcpy(un.sun_path, path, n);
    if (abstract)
        un.sun_path[0] = '\0';
    if (abstract && n == 1)
        n = 0; /* the kernel's choice */
    memset(a, 0, sizeof *a);
    memcpy(&a->ss, &un, sizeof un);
    a->len = (socklen_t)(PATH_AT + n + (abstract ? 0 : 1));
    return 0;
}

/* Services that must work where /etc/services is missing. */
static const struct {
    const char *name;
    int port;
} services[] = {
    {"domain", 53}, {"ftp", 21},          {"ftps", 990},  {"http", 80},
    {"https", 443}, {"imap2", 143},       {"imaps", 993}, {"pop3", 110},
    {"smtp", 25},   {"submissions", 465}, {"ssh", 22},    {"telnet", 23},
};

/* -1: a name that is not known here; -EINVAL: neither a number below 65536 nor a name. */
static int parse_port(const char *s)
{
    if (s[0] >= '0' && s[0] <= '9') {
        int port = 0;
        for (; *s != '\0'; s++) {
            if (*s < '0' || *s > '9')
                return -EINVAL;
            port = port * 10 + (*s - '0');
            if (port > 65535)
                return -EINVAL;
        }
        return port;
    }
    for (const char *c = s; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        bool other = (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || *c == '.' || *c == '+';
        if (!letter && (c == s || !other))
            return -EINVAL;
    }
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (strcmp(s, services[i].name) == 0)
            return services[i].port;
    }
    return -1;
}

/* Letters, digits, and what names have besides; the zone's text is looked at later. */
static bool is_host_char(char c)
{
    unsigned char u = (unsigned char)c;
    return u > ' ' && u != 0x7f && strchr("[]/@:", c) == NULL;
}

int rn__addr_split(rn__hostport *h, const char *text)
{
    const char *begin = text, *end, *port;
    h->bracketed = text[0] == '[';
    if (h->bracketed) {
        begin = text + 1;
        end = strchr(begin, ']');
        if (end == NULL || end[1] != ':' || end == begin)
            return -EINVAL;
        port = end + 2;
    } else {
        end = strchr(begin, ':');
        if (end == NULL)
            return -EINVAL;
        port = end + 1;
    }
    size_t n = (size_t)(end - begin), m = strlen(port);
    if (n > RN__HOST_MAX || m == 0 || m > RN__SERVICE_MAX)
        return -EINVAL;
    for (const char *c = begin; c < end; c++) {
        if (!is_host_char(*c) && !(h->bracketed && *c == ':'))
            return -EINVAL;
    }
    memcpy(h->host, begin, n);
    h->host[n] = '\0';
    memcpy(h->service, port, m + 1);
    h->port = parse_port(port);
    return h->port == -EINVAL ? -EINVAL : 0;
}

/* A zone is an interface's name or number. 0: there is none such. */
static uint32_t parse_zone(const char *s)
{
    uint32_t zone = if_nametoindex(s);
    if (zone != 0 || *s == '\0')
        return zone;
    uint64_t n = 0;
    for (; *s != '\0'; s++) {
        if (*s < '0' || *s > '9')
            return 0;
        n = n * 10 + (uint64_t)(*s - '0');
        if (n > UINT32_MAX)
            return 0;
    }
    return (uint32_t)n;
}

int rn__addr_numeric(rn_addr *a, const rn__hostport *h)
{
    struct in_addr v4;
    struct in6_addr v6;
    int port = h->port < 0 ? 0 : h->port;
    if (!h->bracketed) {
        if (inet_pton(AF_INET, h->host, &v4) != 1)
            return -ENOENT;
        take_v4(a, v4, port);
        return 0;
    }
    char host[RN__HOST_MAX + 1];
    memcpy(host, h->host, sizeof host);
    char *percent = strchr(host, '%');
    if (percent != NULL)
        *percent = '\0';
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return -EINVAL;
    uint32_t zone = percent != NULL ? parse_zone(percent + 1) : 0;
    if (percent != NULL && zone == 0)
        return percent[1] == '\0' ? -EINVAL : -ENODEV;
    take_v6(a, &v6, zone, port);
    return 0;
}

int rn_addr_parse(rn_addr *a, const char *text)
{
    rn__hostport h;
    if (rn__addr_is_unix(text))
        return parse_unix(a, text + UNIX_PREFIX);
    int err = rn__addr_split(&h, text);
    if (err != 0)
        return err;
    if (h.host[0] == '\0')
        rn__addr_special(a, AF_INET6, false, h.port < 0 ? 0 : h.port);
    else if ((err = rn__addr_numeric(a, &h)) != 0)
        return err;
    return h.port < 0 ? -ENOENT : 0;
}

/* -------------------------------------------------------------------------------- writing */

static size_t text_of_unix(const rn_addr *a, char *t, size_t n)
{
    struct sockaddr_un un;
    memcpy(&un, &a->ss, sizeof un);
    size_t len = a->len > PATH_AT ? (size_t)a->len - PATH_AT : 0;
    if (len > sizeof un.sun_path)
        len = sizeof un.sun_path;
    if (len > 0 && un.sun_path[0] != '\0')
        len = strnlen(un.sun_path, len); /* a path ends with NUL, if it has the room */
    char shown[sizeof un.sun_path];
    for (size_t i = 0; i < len; i++)
        shown[i] = un.sun_path[i] == '\0' ? '@' : un.sun_path[i];
    return (size_t)snprintf(t, n, "%s%.*s", unix_prefix, (int)len, shown);
}

static size_t text_of_v6(const rn_addr *a, char *t, size_t n)
{
    struct sockaddr_in6 in;
    char ip[INET6_ADDRSTRLEN], zone[IF_NAMESIZE + 1] = "";
    memcpy(&in, &a->ss, sizeof in);
    inet_ntop(AF_INET6, &in.sin6_addr, ip, sizeof ip);
    if (in.sin6_scope_id != 0) {
        zone[0] = '%';
        if (if_indextoname(in.sin6_scope_id, zone + 1) == NULL)
            snprintf(zone + 1, sizeof zone - 1, "%u", in.sin6_scope_id);
    }
    return (size_t)snprintf(t, n, "[%s%s]:%d", ip, zone, ntohs(in.sin6_port));
}

size_t rn_addr_text(const rn_addr *a, char *buf, size_t n)
{
    struct sockaddr_in in;
    char ip[INET_ADDRSTRLEN];
    switch (a->ss.ss_family) {
    case AF_UNIX: return text_of_unix(a, buf, n);
    case AF_INET6: return text_of_v6(a, buf, n);
    case AF_INET:
        memcpy(&in, &a->ss, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, ip, sizeof ip);
        return (size_t)snprintf(buf, n, "%s:%d", ip, ntohs(in.sin_port));
    default: return (size_t)snprintf(buf, n, "?");
    }
}

int rn_addr_port(const rn_addr *a)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    switch (a->ss.ss_family) {
    case AF_INET: memcpy(&in, &a->ss, sizeof in); return ntohs(in.sin_port);
    case AF_INET6: memcpy(&in6, &a->ss, sizeof in6); return ntohs(in6.sin6_port);
    default: return -EAFNOSUPPORT;
    }
}
