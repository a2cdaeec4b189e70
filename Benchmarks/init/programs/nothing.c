// The work of a oneshot: none. What is timed is what its init does around it.
int main(void) { return 0; }
