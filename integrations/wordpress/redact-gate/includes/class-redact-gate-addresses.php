<?php
/**
 * Addresses in the uploads folder, found in a text or a field in whatever way it is written there: as HTML, as
 * JSON within JSON, as serialized PHP, or encoded as a whole. It gives names below the folder and never asks
 * whether they may be shown. A text that cannot be searched is a fault, not a text without addresses.
 *
 * @package redact-gate
 */

/** Finds what a text names. */
final class Redact_Gate_Addresses {

	/** What may come after an address, and may also be in a file's name. */
	const STOPS = " \t\f\v'`()[]{}?#,;|&*";

	/** Times that an address may be encoded as a whole, as page builders do for their links. */
	const ENCODED = 2;

	/**
	 * The text with the escapes of JSON, however deep, and the entities of HTML undone.
	 *
	 * @throws RuntimeException It cannot be searched.
	 */
	public static function plain( string $text ): string {
		return self::unescaped( html_entity_decode( self::unescaped( $text ), ENT_QUOTES | ENT_HTML5, 'UTF-8' ) );
	}

	/**
	 * Names below the folder. One address gives a list: where it ends is not always plain, so it holds the address
	 * up to each place where it may end, the shortest first. An empty list: it is cut short and nobody can read it.
	 *
	 * @param string $text   As `plain` gives it.
	 * @param string $folder How addresses of the folder begin or go on, with no slash at its end.
	 * @return array<int,array<int,string>>
	 * @throws RuntimeException It cannot be searched.
	 */
	public static function below( string $folder, string $text ): array {
		$found = array();
		$lead  = $folder . '/';
		for ( $times = 0; $times <= self::ENCODED; $times++ ) {
			// It looks ahead, because another address may follow in the same run. No `\s` and no `\w`: in some locales
			// they take a byte of a Cyrillic letter for a space.
			$pattern = '#' . preg_quote( $lead, '#' ) . '(?=([^\r\n"<>\\\\]{0,1000})(\\\\?))#' . ( $times ? 'i' : '' );
			self::sure( preg_match_all( $pattern, $text, $runs, PREG_SET_ORDER ) );
			foreach ( $runs as $run ) {
				$rest = $run[1];
				for ( $time = 0; $time < $times; $time++ ) {
					$rest = rawurldecode( $rest );
				}
				$rest    = substr( $rest, 0, strcspn( $rest, "\r\n\"<>\\" ) );
				$cut     = '' !== $run[2] && strlen( $rest ) === strcspn( $rest, self::STOPS );
				$found[] = $cut ? array() : self::ends( $rest );
			}
			$lead = rawurlencode( $lead );
		}
		return $found;
	}

	/** The name up to each place where it may end. */
	private static function ends( string $rest ): array {
		$names = array();
		for ( $end = 0; $end <= strlen( $rest ); $end++ ) {
			$end    += strcspn( $rest, self::STOPS, $end );
			$names[] = rawurldecode( substr( $rest, 0, $end ) );
		}
		return $names;
	}

	/** Without the escapes of JSON: `\/`, `\"`, `\n` and `\u0540`, with any number of backslashes. */
	private static function unescaped( string $text ): string {
		$letters = preg_replace_callback(
			'/\\\\+u(d[89ab][0-9a-f]{2})\\\\+u(d[c-f][0-9a-f]{2})|\\\\+u([0-9a-f]{4})/i',
			static function ( array $found ): string {
				$letter = json_decode( isset( $found[3] ) ? '"\\u' . $found[3] . '"' : '"\\u' . $found[1] . '\\u' . $found[2] . '"' );
				return is_string( $letter ) ? $letter : $found[0]; // Half a letter: the address is cut short there.
			},
			$text
		);
		return self::sure( preg_replace( array( '#\\\\+([/"\'])#', '#\\\\+[nrt]#' ), array( '$1', "\n" ), self::sure( $letters ) ) );
	}

	/** What a search gave, if it came to its end. */
	private static function sure( $result ) {
		if ( null === $result || false === $result ) {
			throw new RuntimeException( 'A text cannot be searched.' );
		}
		return $result;
	}
}
