/*
 * stream.h - buffered reading and writing: lines, pieces, frames and formatted text over a descriptor.
 *
 * A reader or writer is a struct of the caller's, over any descriptor that io.h can use, with a buffer of
 * the caller's or one of its own. One goroutine uses it at a time; a reader and a writer of the same
 * descriptor are independent.
 *
 *     rn_reader in;
 *     rn_reader_init(&in, fd, NULL, 0);
 *     char *line;
 *     int r;
 *     while ((r = rn_reader_line(&in, &line, NULL)) > 0)
 *         puts(line);
 *     // r is 0 at the end of the stream, or a negative errno
 *     rn_reader_free(&in);
 *
 * Invariants
 *  - What is handed out in place (lines, pieces, frames, peeks) lies in the buffer, is valid until the next
 *    call on the reader, may be changed by the caller, and has at most `limit` bytes: the size of
 *    the buffer without RN_STREAM_SPARE. What is longer is -EMSGSIZE.
 *  - These calls return 1, 0 at the end of the stream, or a negative errno. One that fails takes nothing:
 *    after a time-out the same call goes on where it was.
 *  - A stream that ends inside of a piece or frame is -ENODATA, never a short piece or a clean end.
 *  - A writer whose descriptor has failed stays failed: every later call returns the same error, so that
 *    it is enough to look at the last one. Nothing is written behind a gap.
 *  - Neither closes the descriptor. A writer that is freed without a flush loses what it holds.
 */
#ifndef RUNNEL_STREAM_H
#define RUNNEL_STREAM_H

#include <runnel/io.h>
#include <stdarg.h>

RN_EXTERN_C_BEGIN

enum {
    RN_STREAM_SPARE = 16,    /* bytes of every buffer that are the library's */
    RN_STREAM_DEFAULT = 4096 /* the buffer's size if 0 is asked for */
};

/* ------------------------------------------------------------------------------ reader */

/* The members are private, but for a look in a debugger. */
typedef struct rn_reader {
    char *buf;        /* the buffer */
    size_t size;      /* its bytes */
    size_t begin;     /* first byte that has not been handed out */
    size_t end;       /* behind the last byte that has been read */
    int64_t deadline; /* see rn_reader_set_deadline */
    int fd;           /* where from */
    bool own;         /* the buffer is the library's */
    bool eof;         /* the end has been seen */
} rn_reader;

/*
 * Makes *r read from fd through the n bytes at buf, or, if buf is NULL, through n bytes of its own. n is at
 * least 2 * RN_STREAM_SPARE; 0 with NULL stands for RN_STREAM_DEFAULT. 0, -ENOMEM or -EINVAL.
 * Never blocks. Go: bufio.NewReaderSize(c, n).
 */
RN_API __attribute__((nonnull(1))) int rn_reader_init(rn_reader *r, int fd, void *buf, size_t n);

/* Frees a buffer of its own. The descriptor stays open. */
RN_API RN_NONNULL void rn_reader_free(rn_reader *r);

/* The time on rn_now() at which waits end with -ETIMEDOUT, RN_NEVER for none; for this reader only, beside
 * the descriptor's own. */
RN_API RN_NONNULL void rn_reader_set_deadline(rn_reader *r, int64_t deadline);

/* How many bytes can be had without waiting. Go: r.Buffered(). */
RN_API RN_NONNULL size_t rn_reader_buffered(const rn_reader *r);

/*
 * The next line, without its end ("\n" or "\r\n"), with a NUL behind it. The last line may lack its end.
 * *line is the text, *len its length (len may be NULL). 1, 0 at the end of the stream, -EMSGSIZE if it is
 * longer than the limit (nothing is taken, rn_reader_read gets at it), or another errno. Waits.
 * Go: bufio.Scanner.
 */
RN_API __attribute__((nonnull(1, 2))) int rn_reader_line(rn_reader *r, char **line, size_t *len);

/* The bytes before the next `stop`, which is taken as well and replaced by NUL. 1, 0 at the end of the
 * stream, -ENODATA if it ends with something but no `stop` (which stays there), -EMSGSIZE as above.
 * Waits. Go: r.ReadSlice(stop). */
RN_API __attribute__((nonnull(1, 3))) int rn_reader_until(rn_reader *r, char stop, char **piece,
                                                          size_t *len);

/*
 * The next frame: its length in `width` bytes (1, 2, 4 or 8), most significant first, then as many bytes,
 * which are handed out in place, with a NUL behind them. 1; 0 if the stream ends before a frame;
 * -ENODATA if it ends inside of one; -EMSGSIZE if it is longer than the limit: nothing is taken and the
 * stream had better be given up; -EINVAL if width is none of these. Waits.
 */
RN_API RN_NONNULL int rn_reader_frame(rn_reader *r, int width, char **frame, size_t *len);

/* Shows the next n bytes without taking them. 1; 0 at the end of the stream; -ENODATA if it ends before
 * n bytes; -EMSGSIZE if n is above the limit. Waits. Go: r.Peek(n). */
RN_API RN_NONNULL int rn_reader_peek(rn_reader *r, size_t n, char **bytes);

/* Reads exactly n bytes into buf: 1, 0 at the end of the stream, -ENODATA if it ends before n bytes. n may
 * be above the limit; then a failure loses what has been read. Waits. Go: io.ReadFull. */
RN_API RN_NONNULL int rn_reader_full(rn_reader *r, void *buf, size_t n);

/* Reads at most n bytes as soon as there are some: how many, 0 at the end of the stream or if n is 0.
 * Waits only if nothing is buffered. Go: r.Read(p). */
RN_API RN_NONNULL ssize_t rn_reader_read(rn_reader *r, void *buf, size_t n);

/* Takes n bytes and throws them away: 1, 0 if there was nothing, -ENODATA if the stream ended before all of
 * them; what a failure found is gone, too. Waits. Go: r.Discard(n). */
RN_API RN_NONNULL int rn_reader_skip(rn_reader *r, size_t n);

/* ------------------------------------------------------------------------------ writer */

/* The members are private, as above. */
typedef struct rn_writer {
    char *buf;        /* the buffer */
    size_t size;      /* its bytes */
    size_t used;      /* bytes that wait to be written */
    int64_t deadline; /* see rn_writer_set_deadline */
    int fd;           /* where to */
    int err;          /* what has failed: a negative errno; 0: nothing */
    bool own;         /* the buffer is the library's */
} rn_writer;

/* As rn_reader_init. Go: bufio.NewWriterSize(c, n). */
RN_API __attribute__((nonnull(1))) int rn_writer_init(rn_writer *w, int fd, void *buf, size_t n);

/* Frees a buffer of its own; does not flush. The descriptor stays open. */
RN_API RN_NONNULL void rn_writer_free(rn_writer *w);

/* The time on rn_now() at which waits end with -ETIMEDOUT, which is final as every failure is. */
RN_API RN_NONNULL void rn_writer_set_deadline(rn_writer *w, int64_t deadline);

/* Each of these returns 0, or the negative errno of this or an earlier call. They wait only when the buffer
 * is full. Go: w.Write(p), w.WriteString(s), w.WriteByte(c), fmt.Fprintf(w, ...). */
RN_API __attribute__((nonnull(1))) int rn_writer_write(rn_writer *w, const void *p, size_t n);
RN_API RN_NONNULL int rn_writer_text(rn_writer *w, const char *text);
RN_API RN_NONNULL int rn_writer_byte(rn_writer *w, char c);
RN_API __attribute__((nonnull(1, 2), format(printf, 2, 3))) int rn_writer_print(rn_writer *w,
                                                                                const char *fmt,
                                                                                ...);
RN_API __attribute__((nonnull(1, 2), format(printf, 2, 0))) int rn_writer_vprint(rn_writer *w,
                                                                                 const char *fmt,
                                                                                 va_list ap);

/* Writes a frame as rn_reader_frame reads it. -EMSGSIZE if `width` bytes cannot say n, -EINVAL if width is
 * not 1, 2, 4 or 8; both leave the writer as it was. */
RN_API __attribute__((nonnull(1))) int rn_writer_frame(rn_writer *w, int width, const void *p,
                                                       size_t n);

/* Writes all that the buffer holds. Waits. Go: w.Flush(). */
RN_API RN_NONNULL int rn_writer_flush(rn_writer *w);

RN_EXTERN_C_END

#endif
