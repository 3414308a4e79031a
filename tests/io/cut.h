/*
 * cut.h - a stream that a test hands to a reader in parts.
 *
 * The reader's deadline has long passed, so a call that would wait for more says so at once.
 */
#ifndef RN_TEST_CUT_H
#define RN_TEST_CUT_H

#include "../test.h"
#include <runnel/stream.h>

enum { SMALL = 48, LIMIT = SMALL - RN_STREAM_SPARE };

typedef struct stream {
    int end[2]; /* of a pipe */
    rn_reader r;
    char buf[SMALL];
} stream;

TEST_FN void stream_open(stream *s)
{
    CHECK_EQ(rn_pipe(s->end), 0);
    CHECK_EQ(rn_reader_init(&s->r, s->end[0], s->buf, sizeof s->buf), 0);
    rn_reader_set_deadline(&s->r, 1); /* long past */
}

TEST_FN void stream_give(stream *s, const char *p, size_t n)
{
    if (n > 0)
        CHECK_EQ(rn_write(s->end[1], p, n), (ssize_t)n);
}

TEST_FN void stream_end(stream *s)
{
    CHECK_EQ(rn_close(s->end[1]), 0);
}

TEST_FN void stream_close(stream *s)
{
    rn_reader_free(&s->r);
    CHECK_EQ(rn_close(s->end[0]), 0);
}

#endif
