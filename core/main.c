/* main.c -- arguments and subcommands. */
int main(void)
{
	return 64;
}
