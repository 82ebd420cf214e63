/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LAB_PRIV_H
#define SWS_SOCK_LAB_PRIV_H

/*
 * A lab from the inside.  The record is memory that the lab's process, its
 * actors and the runner share: so nothing is lost when one of them dies.
 */

#include <stdatomic.h>

#include "sock/capture.h"
#include "sock/lab.h"
#include "sock/netns.h"

#define LAB_EVENTS 1024
#define LAB_PACKETS 512
#define LAB_WHO 16

enum lab_kind {
	LAB_NOTHING,            /* begun by an actor that was killed */
	LAB_CALL,
	LAB_PACKET,
	LAB_STATE,
	LAB_EXPECTED,
	LAB_FAILED,
	LAB_SAID,
	LAB_SKIPPED,
};

struct lab_event {
	int64_t at_ns;          /* since the epoch, as packets are stamped */
	enum lab_kind kind;
	char who[LAB_WHO];
	char text[LAB_TEXT];
};

struct lab_record {
	int64_t begun_ns;
	atomic_uint n_events;   /* also counts those that had no room */
	atomic_uint n_expected, n_failed;
	atomic_bool is_done;    /* run() came to its end */
	struct {
		atomic_bool is_measured;
		bool holds;
		char measured[LAB_TEXT];
	} claims[LAB_CLAIMS + 1];
	struct lab_event events[LAB_EVENTS];
};

struct lab_host {
	char name[LAB_WHO];
	int ns;
	int capture;
	unsigned bridge;        /* an interface whose ports are seen; 0: none */
};

struct lab {
	const struct lab_entry *entry;
	struct lab_record *record;
	const char *who;
	bool is_private;
	unsigned here;
	unsigned n_hosts;
	struct lab_host hosts[LAB_HOSTS];
	int pcap;               /* -1: none */
	bool has_number;
	long number;
	unsigned n_packets;     /* also counts those that had no room */
	struct lab_packet {
		int64_t at_ns;
		struct packet packet;
		unsigned char bytes[CAPTURE_SNAP];
	} * packets;
};

int64_t lab_now_ns(void);
void lab_event(struct lab *lab, enum lab_kind kind, int64_t at_ns,
    const char *who, const char *text);

/* Enters the network that the lab needs.  0, or it is skipped or failed. */
int lab_network_begin(struct lab *lab);

/* Takes in what the captures have seen so far. */
void lab_drain(struct lab *lab);

#endif
