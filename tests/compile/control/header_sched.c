// <runnel/sched.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/sched.h>
#include <runnel/sched.h>

extern int nothing_else;
