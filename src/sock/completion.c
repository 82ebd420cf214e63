/* SPDX-License-Identifier: ISC */
/* Shell completion, written from the table of verbs. */
#include <string.h>

#include "sock/verbs.h"

static void
print_options(const struct option_row *row)
{
	for (; row->name != NULL; row++)
		printf(" --%s", row->name);
}

static void
print_bash(void)
{
	puts("_sock()\n{\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]}\n"
	     "\tlocal words=\n"
	     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then");
	printf("\t\twords='");
	for (const struct verb *const *v = verb_table(); *v != NULL; v++)
		printf("%s ", (*v)->name);
	puts("tcp: tcp4: tcp6: udp: udp4: udp6: mptcp: unix: unix-dgram: "
	     "unix-seqpacket: --help --version'\n"
	     "\telse\n\t\tcase $verb in");
	for (const struct verb *const *v = verb_table(); *v != NULL; v++) {
		printf("\t\t%s) words='", (*v)->name);
		if ((*v)->options != NULL)
			print_options((*v)->options);
		puts("' ;;");
	}
	printf("\t\tesac\n\t\twords+='");
	print_options(verb_options);
	puts(" --help'\n\tfi\n"
	     "\t[[ $word == *:* ]] && return\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	     "}\ncomplete -o default -F _sock sock");
}

static enum outcome
completion_run(struct job *job)
{
	if (strcmp(job->operands[0], "bash") != 0)
		return say_error(OUTCOME_USAGE, job->operands[0],
		    "no completion for this shell", 0, "known: bash");
	print_bash();
	return OUTCOME_DONE;
}

const struct verb verb_completion = {
	.name = "completion",
	.operands = "bash",
	.least = 1,
	.most = 1,
	.about = "print completions for a shell",
	.size = sizeof(struct job),
	.run = completion_run,
};
