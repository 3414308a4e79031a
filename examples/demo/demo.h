/*
 * demo.h - what the parts of the showcase share.
 *
 * Invariants
 *  - A step prints what it does, returns how it went and leaves a one-line note for the summary.
 *  - A step that cannot run here (no coreutils) is SKIPPED and says why; it never counts as ok.
 */
#ifndef DEMO_H
#define DEMO_H

#include <runnel.h>
#include <stddef.h>

enum outcome { FAILED, OK, SKIPPED };
enum { NOTE = 100 };

typedef enum outcome step(char note[NOTE]);

step demo_sieve, demo_pool, demo_timeout, demo_panic; /* classics.c */
step demo_deadlock;                                   /* deadlock.c */
step demo_crowd;                                      /* crowd.c */
step demo_words;                                      /* words.c */

/* deadlock.c: what the child program does, which the step above starts and looks at. */
int demo_run_into_a_deadlock(void);

/* child.c: runs argv[0] and collects what it writes to descriptor fd (1 or 2). Waits for its end
 * without holding up other goroutines. *text is NUL-terminated and must be freed; *length may be
 * NULL. Returns the exit status, 128 + signal, or a negative errno (then *text is NULL). */
int demo_child(const char *const argv[], int fd, char **text, size_t *length);

#endif
