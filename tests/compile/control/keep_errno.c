// RN_KEEP_ERRNO leaves libc's errno alone; without it errno is a call of ours. Both are lvalues.
// also: c++
#include <errno.h>
#define LIBC_TEXT_(x) #x
#define LIBC_TEXT(x)  LIBC_TEXT_(x)
static const char libc_errno[] = LIBC_TEXT(errno);

#ifdef __OPTIMIZE__
#define RN_KEEP_ERRNO
#endif
#include <runnel.h>

#ifdef __cplusplus
#define STATIC_ASSERT static_assert
#else
#define STATIC_ASSERT _Static_assert
#endif

int use(void);
int use(void)
{
    const char *text = LIBC_TEXT(errno);
    errno = 0;
    errno += EINTR;
    int *p = &errno;
#ifdef RN_KEEP_ERRNO
    STATIC_ASSERT(sizeof(LIBC_TEXT(errno)) == sizeof(libc_errno), "errno was changed");
#else
    STATIC_ASSERT(sizeof(LIBC_TEXT(errno)) == sizeof("(*rn_errno_location())"), "libc's errno");
#endif
    return errno == *p && text[0] == '(' && libc_errno[0] == '(';
}
