// <runnel/errno.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/errno.h>
#include <runnel/errno.h>

extern int nothing_else;
