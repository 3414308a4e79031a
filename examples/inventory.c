/*
 * inventory.c - a sale: 150 buyers, 100 pieces, no lock, not one piece sold twice.
 *
 * Go idiom: "do not communicate by sharing memory; share memory by communicating".
 * Rule: data has one owner. The stock lives on the stack of one goroutine; the others ask it by
 * message, and orders are served one after the other because there is only one who serves them.
 */
#include <runnel.h>
#include <stdio.h>

struct order {
    int pieces;
    send_chan(bool) reply;
};

static void shopkeeper(int stock, recv_chan(struct order) orders, send_chan(int) left)
{
    chan_range (o, orders) {
        bool sold = o.pieces <= stock;
        if (sold)
            stock -= o.pieces;
        chan_send(o.reply, sold);
    }
    chan_send(left, stock);
}
GO_FUNC(shopkeeper, int, recv_chan(struct order), send_chan(int));

static void buyer(send_chan(struct order) shop, send_chan(bool) luck)
{
    chan_auto(bool) reply = chan_make(bool, 0);
    bool sold = false;
    chan_send(shop, (struct order){.pieces = 1, .reply = reply});
    chan_recv(reply, &sold);
    chan_send(luck, sold);
}
GO_FUNC(buyer, send_chan(struct order), send_chan(bool));

int main(void)
{
    enum { BUYERS = 150, STOCK = 100 };
    chan_auto(struct order) shop = chan_make(struct order, 0);
    chan_auto(bool) luck = chan_make(bool, 0);
    chan_auto(int) left = chan_make(int, 0);

    go(shopkeeper, STOCK, shop, left);
    for (int i = 0; i < BUYERS; i++)
        go(buyer, shop, luck);

    int happy = 0, rest = -1;
    for (int i = 0; i < BUYERS; i++) {
        bool sold = false;
        chan_recv(luck, &sold);
        happy += sold;
    }
    chan_close(shop); /* closing time */
    chan_recv(left, &rest);
    printf("sold %d, turned away %d, left %d\n", happy, BUYERS - happy, rest);
    return 0;
}
