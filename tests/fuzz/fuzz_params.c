/* fuzz_params.c -- any bytes as a command line of MAIL, RCPT or BDAT. */
#include "proto/params.h"

#include "core/base/check.h"
#include "proto/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void no_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		check(s.at[i] > 0x20 && s.at[i] != 0x7f);
}

static void judge_no(struct reply reply)
{
	check(reply.code >= 500 && reply.code <= 555);
	check(reply.enhanced != NULL && reply.enhanced[0] == '5');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct command command;
	struct mail_params mail;
	struct rcpt_params rcpt;
	struct reply reply;
	uint64_t chunk_len;
	bool flag;

	for (unsigned phase = 0; phase < COMMAND_PHASES; phase++)
		if (!command_read(
			in, (enum command_phase)phase, &command, &flag, &reply))
			judge_no(reply);
	command_chunk(in, &chunk_len, &flag);
	if (params_mail(in, &mail, &reply)) {
		no_control(mail.envid);
		check(mail.envid.len <= 100);
		check(mail.smtputf8 || ascii_only(mail.path.full));
	} else {
		judge_no(reply);
	}
	for (unsigned utf8 = 0; utf8 < 2; utf8++) {
		if (!params_rcpt(in, utf8, &rcpt, &reply)) {
			judge_no(reply);
			continue;
		}
		no_control(rcpt.orcpt);
		check(rcpt.orcpt.len <= 500);
		check(rcpt.path.full.len > 0);
		check(!(rcpt.notify & DSN_NOTIFY_NEVER) ||
		      rcpt.notify == DSN_NOTIFY_NEVER);
		check(utf8 || ascii_only(rcpt.path.full));
	}
	return 0;
}
