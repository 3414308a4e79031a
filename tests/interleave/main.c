/*
 * main.c - explores the cases whose names contain one of the arguments (=NAME: are that), or all
 * but the full- ones.
 */
#include "engine.h"
#include <stdio.h>
#include <string.h>

extern const il_case il_sync_cases[], il_until_cases[], il_chan_cases[];

static int explore(const il_case *c, int argc, char **argv, int *ran)
{
    int failed = 0;
    for (; c->name != NULL; c++) {
        int take = argc == 1 && strncmp(c->name, "full-", 5) != 0;
        for (int i = 1; i < argc; i++)
            take |= argv[i][0] == '=' ? strcmp(c->name, argv[i] + 1) == 0
                                      : strstr(c->name, argv[i]) != NULL;
        if (take) {
            ++*ran;
            failed += !il_explore(c);
        }
    }
    return failed;
}

int main(int argc, char **argv)
{
    int ran = 0;
    int failed = explore(il_sync_cases, argc, argv, &ran);
    failed += explore(il_until_cases, argc, argv, &ran);
    failed += explore(il_chan_cases, argc, argv, &ran);
    if (ran == 0)
        printf("no such case\n");
    return failed != 0 || ran == 0;
}
