/*
 * litmus.h - tiny programs of two goroutines that share one plain variable, for ThreadSanitizer.
 *
 * CLEAN(name) { ... } is ordered by an edge of Go's memory model and must not be reported.
 * RACE(name) { ... } looks much like it and is not ordered: it must be reported.
 *
 * Invariants
 *  - The two accesses of a RACE are unordered whichever of them comes first, so that the verdict
 *    does not depend on the schedule. Every program joins its goroutines after the accesses.
 *  - Nothing but the operation under test lies between them: no printf, no lock, no other channel.
 */
#ifndef RN_LITMUS_H
#define RN_LITMUS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <runnel.h>
#include <runnel/panic.h>
#include <runnel/sync.h>

typedef struct litmus {
    const char *kind; /* "race" or "clean" */
    const char *name;
    void (*fn)(void);
    struct litmus *next;
} litmus;

static litmus *litmus_all;

#define LITMUS_(kind, name)                                           \
    static void name(void);                                           \
    __attribute__((constructor)) static void RN_CAT(add_, name)(void) \
    {                                                                 \
        static litmus entry = {kind, #name, name, NULL};              \
        entry.next = litmus_all;                                      \
        litmus_all = &entry;                                          \
    }                                                                 \
    static void name(void)
#define CLEAN(name) LITMUS_("clean", name)
#define RACE(name)  LITMUS_("race", name)

/* The shared variable. Out of line, and with an empty statement that needs the value, so that no access is
 * optimised away and each is one instrumented access. */
static int shared;
__attribute__((noinline, unused)) static void set(int v)
{
    shared = v;
    __asm__ volatile("" : : : "memory");
}
__attribute__((noinline, unused)) static int get(void)
{
    int v = shared;
    __asm__ volatile("" : : "r"(v) : "memory");
    return v;
}

/* The channels of the programs; made by main before a program starts. */
static chan(int) un;   /* unbuffered */
static chan(int) one;  /* capacity 1 */
static chan(int) two;  /* capacity 2 */
static chan(int) over; /* unbuffered: the join at the end */

__attribute__((unused)) static void say_over(void)
{
    chan_send(over, 0);
}

__attribute__((unused)) static void join(void)
{
    chan_recv(over, NULL);
}

#define LITMUS_MAIN                                                         \
    int main(int argc, char **argv)                                         \
    {                                                                       \
        for (litmus *l = litmus_all; argc == 1 && l != NULL; l = l->next)   \
            printf("%s %s\n", l->kind, l->name);                            \
        un = chan_make(int, 0);                                             \
        one = chan_make(int, 1);                                            \
        two = chan_make(int, 2);                                            \
        over = chan_make(int, 0);                                           \
        for (litmus *l = litmus_all; argc == 2 && l != NULL; l = l->next) { \
            if (strcmp(l->name, argv[1]) == 0) {                            \
                l->fn();                                                    \
                return 0;                                                   \
            }                                                               \
        }                                                                   \
        return argc == 1 ? 0 : 1;                                           \
    }

#endif
