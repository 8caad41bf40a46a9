from wsknet.cli import main

main()
