// <runnel/context_sync.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/context_sync.h>
#include <runnel/context_sync.h>

extern int nothing_else;
