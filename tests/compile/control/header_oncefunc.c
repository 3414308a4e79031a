// <runnel/oncefunc.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/oncefunc.h>
#include <runnel/oncefunc.h>

extern int nothing_else;
