// <runnel/sem.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/sem.h>
#include <runnel/sem.h>

extern int nothing_else;
