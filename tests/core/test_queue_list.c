#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/queue_list.h"

/* What is printed of the lines, which end with NULL; to be freed. */
static char *printed(const char *const *lines, bool json)
{
	struct queue_list list = {0};
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (; *lines != NULL; lines++)
		cr_assert(
		    queue_list_add(&list, slice_of_str(*lines)), "%s", *lines);
	queue_list_print(&list, json, 1000000, out);
	queue_list_free(&list);
	fclose(out);
	return text;
}

static const char *const rows[] = {
    "200\t999000\t2048\t1\t3\t1003600\texample.net\ta@example.org\t"
    "connection refused",
    "1\t998000\t100\t2\t0\t0\texample.com,example.net\t<>\t",
    "1Z\t999000\t5242880\t1\t1\t1000010\t-\tb@example.org\t450 4.2.0 later",
    NULL,
};

Test(queue_list, is_aligned_and_oldest_first)
{
	char *text = printed(rows, false);

	cr_expect_str_eq(text,
	    "ID   RECEIVED              SIZE  RCPTS  TRIES  NEXT  "
	    "DESTINATION              SENDER         LAST ERROR\n"
	    "1    1970-01-12T13:13:20Z   100      2      0   now  "
	    "example.com,example.net  <>             \n"
	    "1Z   1970-01-12T13:30:00Z  5.0M      1      1   10s  "
	    "-                        b@example.org  450 4.2.0 later\n"
	    "200  1970-01-12T13:30:00Z  2.0K      1      3   60m  "
	    "example.net              a@example.org  connection refused\n"
	    "3 messages, 4 recipients, 5.0M\n");
	free(text);
}

Test(queue_list, is_json_a_line)
{
	char *text = printed(rows, true);

	cr_expect_str_eq(text,
	    "{\"id\":\"1\",\"received\":998000,\"size\":100,\"recipients\":2,"
	    "\"attempts\":0,\"next\":0,\"destinations\":[\"example.com\","
	    "\"example.net\"],\"sender\":\"\",\"error\":\"\"}\n"
	    "{\"id\":\"1Z\",\"received\":999000,\"size\":5242880,"
	    "\"recipients\":1,\"attempts\":1,\"next\":1000010,"
	    "\"destinations\":[],\"sender\":\"b@example.org\","
	    "\"error\":\"450 4.2.0 later\"}\n"
	    "{\"id\":\"200\",\"received\":999000,\"size\":2048,"
	    "\"recipients\":1,\"attempts\":3,\"next\":1003600,"
	    "\"destinations\":[\"example.net\"],"
	    "\"sender\":\"a@example.org\",\"error\":\"connection refused\"}"
	    "\n");
	free(text);
}

Test(queue_list, strangers_words_change_nothing)
{
	static const char *const strange[] = {
	    "1\t1\t1\t1\t1\t1\t\x1b[2Jd\tm\xc3\xbcller@\x1b.org\t"
	    "\"a\\b\x7f\xff\xc3 \xf0\x9f\x93\xa7",
	    NULL,
	};
	char *text = printed(strange, false);
	cr_expect_null(strchr(text, '\x1b'));
	cr_expect_null(strchr(text, '\x7f'));
	free(text);

	text = printed(strange, true);
	cr_expect_not_null(strstr(text, "[\"\\u001b[2Jd\"]"), "%s", text);
	cr_expect_not_null(strstr(text, "\"m\xc3\xbcller@\\u001b.org\""));
	cr_expect_not_null(strstr(text,
	    "\"error\":\"\\\"a\\\\b\\u007f\\ufffd\\ufffd \xf0\x9f\x93\xa7\""));
	free(text);
}

Test(queue_list, long_fields_are_cut_and_stick_out)
{
	char line[3000];
	static const char *const head = "1\t1\t1\t1\t1\t1\t";
	size_t len = strlen(head);

	memcpy(line, head, len);
	memset(line + len, 'd', sizeof(line) - len);
	strcpy(line + sizeof(line) - 20, "\ts@example.org\te");
	char *text = printed((const char *const[]){line, NULL}, false);
	cr_expect_not_null(strstr(text, "ddd  s@example.org  e\n"));
	free(text);
}

Test(queue_list, of_nothing_says_so)
{
	char *text = printed(rows + 3, false);
	cr_expect_str_eq(text, "the queue is empty\n");
	free(text);

	text = printed(rows + 3, true);
	cr_expect_str_empty(text);
	free(text);
}

Test(queue_list, what_is_no_row_is_refused_wherever_it_is_cut)
{
	const char *row = rows[0];
	size_t sender = (size_t)(strstr(row, "a@") - row);
	struct queue_list list = {0};

	for (size_t cut = 0; cut < strlen(row); cut++)
		cr_expect_eq(queue_list_add(&list, slice_of(row, cut)),
		    cut > sender, "%zu", cut);
	cr_expect_not(
	    queue_list_add(&list, SLICE("1\tx\t1\t1\t1\t1\td\ts\te")));
	queue_list_free(&list);
}
