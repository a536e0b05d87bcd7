function __keruta_candidates
    set -l words (commandline -opc) (commandline -ct)
    for line in (command $words[1] completion candidates -- $words[2..-1] 2> /dev/null < /dev/null)
        if test "$line" = ':files'
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c keruta -f -a '(__keruta_candidates)'
complete -c keruta-agent -f -a '(__keruta_candidates)'
