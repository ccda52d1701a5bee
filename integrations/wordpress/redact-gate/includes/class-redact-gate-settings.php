<?php
/**
 * What an administrator sets: constants in wp-config.php come first, then the page under Settings.
 *
 * The token is written and never shown again, neither in the page nor in a message.
 *
 * @package redact-gate
 */

/** Settings, and their page. */
final class Redact_Gate_Settings {

	const OPTION = 'redact_gate';
	const PAGE   = 'redact-gate';

	/** Seconds that one upload may wait for its verdict, unless set otherwise. */
	const WAIT      = 45;
	const MOST_WAIT = 600;

	/** Hook in. */
	public static function register(): void {
		add_action( 'admin_menu', array( __CLASS__, 'menu' ) );
		add_action( 'admin_init', array( __CLASS__, 'fields' ) );
		add_action( 'admin_notices', array( __CLASS__, 'notices' ) );
	}

	/** A setting: the constant's value if there is one, else the page's, else ''. */
	private static function value( string $name ): string {
		$constant = 'REDACT_GATE_' . strtoupper( $name );
		if ( defined( $constant ) ) {
			return (string) constant( $constant );
		}
		$stored = get_option( self::OPTION, array() );
		return is_array( $stored ) && isset( $stored[ $name ] ) ? (string) $stored[ $name ] : '';
	}

	/**
	 * The service's address, without a slash at its end.
	 *
	 * @throws Redact_Gate_Refusal There is none, or files and token would travel in the clear.
	 */
	public static function address(): string {
		$address = rtrim( self::value( 'address' ), '/' );
		if ( ! self::is_address( $address ) ) {
			throw new Redact_Gate_Refusal( __( 'The redact gate is not set up: its address is missing or not https.', 'redact-gate' ) );
		}
		return $address;
	}

	/**
	 * The token.
	 *
	 * @throws Redact_Gate_Refusal There is none.
	 */
	public static function token(): string {
		$token = self::value( 'token' );
		if ( ! self::is_token( $token ) ) {
			throw new Redact_Gate_Refusal( __( 'The redact gate is not set up: its token is missing.', 'redact-gate' ) );
		}
		return $token;
	}

	/** Whether uploads are replaced by covered results; else they are judged as they are. */
	public static function submits(): bool {
		return 'submit' === self::value( 'mode' );
	}

	/** Whether files that are neither photo nor film are refused too. */
	public static function refuses_others(): bool {
		return 'refuse' === self::value( 'other_files' );
	}

	/** Seconds to wait for a verdict. */
	public static function wait(): int {
		$wait = (int) self::value( 'wait' );
		return $wait > 0 ? min( $wait, self::MOST_WAIT ) : self::WAIT;
	}

	/** File with certificates to trust instead of the system's, or ''. */
	public static function ca_file(): string {
		return self::value( 'ca_file' );
	}

	/** https://host[:port][/path]; plain http for this machine only. */
	private static function is_address( string $address ): bool {
		$parts = wp_parse_url( $address );
		if ( ! is_array( $parts ) || empty( $parts['host'] ) || empty( $parts['scheme'] )
			|| array_intersect_key( $parts, array_flip( array( 'user', 'pass', 'query', 'fragment' ) ) ) ) {
			return false;
		}
		$here = in_array( $parts['host'], array( 'localhost', '127.0.0.1', '[::1]' ), true );
		return 'https' === $parts['scheme'] || ( 'http' === $parts['scheme'] && $here );
	}

	private static function is_token( string $token ): bool {
		return 1 === preg_match( '/\Aredact_[a-z2-9]{12}_[A-Za-z0-9_-]{43}\z/', $token );
	}

	/** Add the page. */
	public static function menu(): void {
		add_options_page( 'Redact Gate', 'Redact Gate', 'manage_options', self::PAGE, array( __CLASS__, 'page' ) );
	}

	/** Declare what the page may change. */
	public static function fields(): void {
		$how = array(
			'type'              => 'array',
			'sanitize_callback' => array( __CLASS__, 'sanitize' ),
			'show_in_rest'      => false,
		);
		register_setting( self::PAGE, self::OPTION, $how );
	}

	/** What is stored of what the page sent; what cannot be meant leaves the old value. */
	public static function sanitize( $sent ): array {
		$old  = get_option( self::OPTION, array() );
		$old  = is_array( $old ) ? $old : array();
		$sent = is_array( $sent ) ? $sent : array();
		$text = static function ( string $name ) use ( $sent ): string {
			return isset( $sent[ $name ] ) && is_scalar( $sent[ $name ] ) ? trim( (string) $sent[ $name ] ) : '';
		};
		$new  = $old;
		if ( self::is_address( rtrim( $text( 'address' ), '/' ) ) ) {
			$new['address'] = rtrim( $text( 'address' ), '/' );
		} elseif ( '' !== $text( 'address' ) ) {
			self::complain( __( 'The address must begin with https:// (http:// for this machine only).', 'redact-gate' ) );
		}
		if ( self::is_token( $text( 'token' ) ) ) {
			$new['token'] = $text( 'token' );
		} elseif ( '' !== $text( 'token' ) ) {
			self::complain( __( 'That is no token of redact; make one with: redact serve token add.', 'redact-gate' ) );
		}
		if ( in_array( $text( 'mode' ), array( 'check', 'submit' ), true ) ) {
			$new['mode'] = $text( 'mode' );
		}
		if ( (int) $text( 'wait' ) > 0 ) {
			$new['wait'] = min( (int) $text( 'wait' ), self::MOST_WAIT );
		}
		return array_intersect_key( $new, array_flip( array( 'address', 'token', 'mode', 'wait' ) ) );
	}

	private static function complain( string $message ): void {
		if ( function_exists( 'add_settings_error' ) ) {
			add_settings_error( self::OPTION, self::OPTION, $message );
		}
	}

	/** The page. */
	public static function page(): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			return;
		}
		echo '<div class="wrap"><h1>Redact Gate</h1><form method="post" action="options.php">';
		settings_fields( self::PAGE );
		echo '<table class="form-table" role="presentation">';
		self::row( 'address', __( 'Address of redact serve', 'redact-gate' ), self::input( 'address', 'url', self::value( 'address' ) ) );
		$known = self::is_token( self::value( 'token' ) )
			? __( 'A token is set. Leave empty to keep it.', 'redact-gate' )
			: __( 'No token is set.', 'redact-gate' );
		self::row( 'token', __( 'Token', 'redact-gate' ), self::input( 'token', 'password', '' ) . '<p class="description">' . esc_html( $known ) . '</p>' );
		$modes = '<select id="redact-gate-mode" name="redact_gate[mode]"' . self::locked( 'mode' ) . '>';
		foreach ( array(
			'check'  => __( 'Uploads are finished files: judge them', 'redact-gate' ),
			'submit' => __( 'Uploads are originals: cover them and take the result', 'redact-gate' ),
		) as $mode => $label ) {
			$chosen = ( 'submit' === $mode ) === self::submits() ? ' selected' : '';
			$modes .= '<option value="' . esc_attr( $mode ) . '"' . $chosen . '>' . esc_html( $label ) . '</option>';
		}
		self::row( 'mode', __( 'Mode', 'redact-gate' ), $modes . '</select>' );
		self::row( 'wait', __( 'Seconds to wait for a verdict', 'redact-gate' ), self::input( 'wait', 'number', (string) self::wait() ) );
		echo '</table>';
		submit_button();
		echo '</form></div>';
	}

	private static function row( string $name, string $label, string $field ): void {
		// $field is made in here, of escaped parts.
		echo '<tr><th scope="row"><label for="redact-gate-' . esc_attr( $name ) . '">' . esc_html( $label ) . '</label></th><td>' . $field . '</td></tr>'; // phpcs:ignore
	}

	private static function input( string $name, string $type, string $value ): string {
		return '<input id="redact-gate-' . esc_attr( $name ) . '" name="redact_gate[' . esc_attr( $name ) . ']" type="' . esc_attr( $type )
			. '" class="regular-text" autocomplete="off" value="' . esc_attr( $value ) . '"' . self::locked( $name ) . '>';
	}

	private static function locked( string $name ): string {
		return defined( 'REDACT_GATE_' . strtoupper( $name ) ) ? ' disabled' : '';
	}

	/** Say on every page of the dashboard that uploads are refused as long as nothing is set up. */
	public static function notices(): void {
		try {
			self::address();
			self::token();
		} catch ( Redact_Gate_Refusal $refusal ) {
			if ( current_user_can( 'manage_options' ) ) {
				echo '<div class="notice notice-error"><p>' . esc_html( $refusal->getMessage() ) . ' '
					. esc_html__( 'Photos and films are refused until it is.', 'redact-gate' ) . '</p></div>';
			}
		}
	}
}
